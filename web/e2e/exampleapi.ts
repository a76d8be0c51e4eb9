import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { end, endWithUs } from './child.ts';

/** The example API, as its folder says to run it. */
export class ExampleApi {
  readonly url: string;
  private readonly process: ChildProcess;
  private readonly folder: string;

  private constructor(process: ChildProcess, folder: string, url: string) {
    this.process = process;
    this.folder = folder;
    this.url = url;
  }

  /** Builds it, and starts it on a free port. */
  static async start(issuer: string): Promise<ExampleApi> {
    const folder = mkdtempSync(join(tmpdir(), 'keywright-api-'));
    const binary = join(folder, 'api');
    execFileSync('go', ['build', '-o', binary, './examples/api'], { cwd: join(import.meta.dirname, '../..'), env: { ...process.env, CGO_ENABLED: '0' } });
    const api = spawn(binary, ['-listen', '127.0.0.1:0', '-issuer', issuer], { stdio: ['ignore', 'pipe', 'inherit'] });
    endWithUs(api);
    const url = await new Promise<string>((resolve, reject) => {
      api.stdout.once('data', (text) => resolve(/http:\S+/.exec(String(text))![0] + '/'));
      api.once('exit', () => reject(new Error('the example API did not start')));
    });
    return new ExampleApi(api, folder, url);
  }

  async stop(): Promise<void> {
    await end(this.process);
    rmSync(this.folder, { recursive: true });
  }
}
