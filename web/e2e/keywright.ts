import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { end, endWithUs } from './child.ts';

export interface Person {
  email: string;
  name: string;
  password: string;
}

export interface RegisteredClient {
  client_id: string;
  client_secret?: string;
}

let people = 0;

/** Somebody who has no account yet. */
export function newPerson(name = 'Ada Lovelace'): Person {
  return { email: `ada${++people}@example.com`, name, password: 'correct horse battery' };
}

/** The built binary, running with a folder of its own. */
export class Keywright {
  readonly issuer: string;
  /** All that was printed before the server was ready. */
  readonly greeting: string;
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #log: () => string;

  private constructor(process: ChildProcess, folder: string, greeting: string, log: () => string) {
    this.#process = process;
    this.#folder = folder;
    this.greeting = greeting;
    this.issuer = /http:\/\/localhost:\d+/.exec(greeting)![0];
    this.#log = log;
  }

  /** Starts `keywright dev` on a free port, with settings and flags over its defaults. */
  static async start(settings: Record<string, string> = {}, ...flags: string[]): Promise<Keywright> {
    const folder = mkdtempSync(join(tmpdir(), 'keywright-data-'));
    const server = spawn(binary(), ['dev', '--listen', '127.0.0.1:0', '--data', folder, ...flags], {
      env: { ...process.env, KEYWRIGHT_ARGON2: 'm=64,t=1,p=1', ...settings }, // these tests are not about hashing
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    endWithUs(server);
    let log = '';
    server.stderr.on('data', (text) => (log += text));
    const greeting = await new Promise<string>((resolve, reject) => {
      let out = '';
      server.stdout.on('data', (text) => {
        if ((out += text).includes('# Call the API')) resolve(out);
      });
      server.once('exit', () => reject(new Error(log)));
    });
    return new Keywright(server, folder, greeting, () => log);
  }

  /** What the server has told its operator: what is no request of somebody. */
  get remarks(): string[] {
    return this.#log().split('\n').filter((line) => line && !line.startsWith('{'));
  }

  /** How many requests of a client an endpoint has answered with 200, as the server's log has it. */
  answered(route: string, client: string): number {
    const requests = this.#log().split('\n').filter((line) => line.endsWith('}')).map((line) => JSON.parse(line));
    return requests.filter((line) => line.route === route && line.client_id === client && line.status === 200).length;
  }

  async stop(): Promise<void> {
    await end(this.#process);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs a command beside the server and decodes its JSON. */
  command<T>(...args: string[]): T {
    return JSON.parse(execFileSync(binary(), [...args, '--data', this.#folder, '--json'], { encoding: 'utf8', stdio: 'pipe' }));
  }

  addClient(id: string, ...flags: string[]): RegisteredClient {
    return this.command<RegisteredClient>('client', 'add', '--id', id, ...flags);
  }

  /** Writes a file that a command reads. */
  file(name: string, content: unknown): string {
    const path = join(this.#folder, name);
    writeFileSync(path, JSON.stringify(content));
    return path;
  }

  async register(person: Person): Promise<Person> {
    const answer = await fetch(this.issuer + '/register', {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(person),
    });
    if (!answer.ok) throw new Error(`register: ${answer.status} ${await answer.text()}`);
    return person;
  }
}

function binary(): string {
  return process.env.E2E_BINARY!;
}
