import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen, stop } from './listen.ts';

/** An API on an origin of its own, which remembers the tokens that it was brought. */
export class Api {
  /** One for each request but preflights; undefined: none came. */
  readonly tokens: (string | undefined)[] = [];
  /** Whether it refuses a request, with 401. */
  refuses: (token: string | undefined) => boolean = (token) => token === undefined;
  /** Sends requests on to another URL. */
  elsewhere?: string;
  #port = 0;
  readonly #server = createServer((request, response) => this.#answer(request, response));

  static async start(): Promise<Api> {
    const api = new Api();
    api.#port = await listen(api.#server);
    return api;
  }

  get url(): string {
    return `http://localhost:${this.#port}/`;
  }

  async stop(): Promise<void> {
    await stop(this.#server);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const cors = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': 'authorization' };
    if (request.method === 'OPTIONS') return void response.writeHead(204, cors).end();
    const token = request.headers.authorization?.replace(/^Bearer /, '');
    this.tokens.push(token);
    if (this.elsewhere) return void response.writeHead(307, { ...cors, Location: this.elsewhere }).end();
    const status = this.refuses(token) ? 401 : 200;
    const greeting = { message: `Hello, number ${this.tokens.length}`, scope: 'openid' };
    response.writeHead(status, { ...cors, 'Content-Type': 'application/json' }).end(JSON.stringify(greeting));
  }
}
