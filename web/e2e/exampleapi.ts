import { spawn, type ChildProcess } from 'node:child_process';
import { end, endWithUs } from './child.ts';

/** The example API. */
export class ExampleApi {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  /** Starts it on a free port. */
  static async start(issuer: string): Promise<ExampleApi> {
    const api = spawn(process.env.E2E_API!, ['-listen', '127.0.0.1:0', '-issuer', issuer], { stdio: ['ignore', 'pipe', 'inherit'] });
    endWithUs(api);
    const url = await new Promise<string>((resolve, reject) => {
      api.stdout.once('data', (text) => resolve(/http:\S+/.exec(String(text))![0] + '/'));
      api.once('exit', () => reject(new Error('the example API did not start')));
    });
    return new ExampleApi(api, url);
  }

  async stop(): Promise<void> {
    await end(this.#process);
  }
}
