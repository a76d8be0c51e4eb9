import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Keywright, RegisteredClient } from '../keywright.ts';
import { listen, stop } from './listen.ts';

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

export interface Registration {
  id: string;
  /** The host it is served at: `localhost` is the issuer's own site, `app.localhost` another one. */
  host?: string;
  port?: number;
  flags?: string[];
}

/** An app on a port of its own, which remembers what it was told about sign-outs. */
export abstract class App {
  origin = '';
  /** What frames loaded: OpenID Connect Front-Channel Logout 1.0 §2. */
  readonly frontchannel: URLSearchParams[] = [];
  /** Claims of logout tokens: OpenID Connect Back-Channel Logout 1.0 §2.5. */
  readonly backchannel: Record<string, unknown>[] = [];
  readonly #server: Server = createServer((request, response) => {
    this.#respond(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });

  /** Begins to listen, and registers as a client of keywright. */
  protected async listen(keywright: Keywright, { id, host = 'localhost', port: wanted, flags = [] }: Registration): Promise<RegisteredClient> {
    const port = await listen(this.#server, wanted);
    this.origin = `http://${host}:${port}`;
    const told = ['--frontchannel-logout-uri', this.origin + '/frontchannel-logout', '--backchannel-logout-uri', `http://localhost:${port}/backchannel-logout`];
    return keywright.addClient(
      id, '--redirect-uri', this.origin + '/callback', '--post-logout-redirect-uri', this.origin + '/',
      ...(this.hears() ? told : []), ...this.kind(), ...flags,
    );
  }

  /** Whether it is told that a session ended. */
  protected hears(): boolean {
    return true;
  }

  async stop(): Promise<void> {
    await stop(this.#server);
  }

  /** Flags that say which kind of client it is. */
  protected abstract kind(): string[];

  protected abstract answer(url: URL, form: URLSearchParams, request: IncomingMessage): Promise<Answer>;

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += chunk;
    const url = new URL(request.url!, this.origin);
    const form = new URLSearchParams(body);
    if (url.pathname === '/frontchannel-logout') this.frontchannel.push(url.searchParams);
    if (url.pathname === '/backchannel-logout') this.backchannel.push(payload(form.get('logout_token')!));
    const answer = await this.answer(url, form, request);
    response.writeHead(answer.status ?? 200, answer.headers).end(answer.body);
  }
}

function payload(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url').toString());
}
