import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import * as oauth from 'oauth4webapi';
import type { Keywright } from '../keywright.ts';
import { RelyingParty, type Begun, type Parameters, type SignedIn } from '../relyingparty.ts';
import { App, type Answer, type Registration } from './app.ts';

/** An app that a server renders: a confidential client, which needs no JavaScript. */
export class WebApp extends App {
  #rp!: RelyingParty;
  /** Parameters that it adds to its requests. */
  parameters: Parameters = {};
  readonly #begun = new Map<string, Begun>(); // by state, so that a form post from another site needs no cookie
  readonly #people = new Map<string, SignedIn>(); // by this app's own session

  static async start(keywright: Keywright, registration: Registration): Promise<WebApp> {
    const app = new WebApp();
    const { client_id, client_secret } = await app.listen(keywright, registration);
    app.#rp = await RelyingParty.discover(
      keywright.issuer, { client_id }, oauth.ClientSecretPost(client_secret!), app.origin + '/callback',
    );
    return app;
  }

  protected kind(): string[] {
    return ['--auth-method', 'client_secret_post'];
  }

  protected async answer(url: URL, form: URLSearchParams, request: IncomingMessage): Promise<Answer> {
    const session = /app=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
    switch (url.pathname) {
      case '/':
        return this.#home(this.#people.get(session));
      case '/sign-in':
        return seeOther(await this.#begin());
      case '/callback':
        return this.#finish(request.method === 'POST' ? form : url);
      case '/sign-out':
        return seeOther(this.#rp.endSession({
          id_token_hint: this.#people.get(session)!.idToken, post_logout_redirect_uri: this.origin + '/',
        }));
      case '/frontchannel-logout':
        this.#end(url.searchParams.get('sid')!);
        return page('<p>Signed out</p>');
      case '/backchannel-logout':
        return {};
    }
    return { status: 404 };
  }

  async #home(person?: SignedIn): Promise<Answer> {
    if (!person) return page('<p role="status">Nobody is signed in</p><a href="/sign-in">Sign in</a>');
    const { name } = await this.#rp.userInfo(person).catch(() => ({ name: 'somebody whose token is dead' }));
    return page(`<p role="status">Hello, ${name}</p><a href="/sign-out">Sign out</a>`);
  }

  async #begin(): Promise<URL> {
    const begun = await this.#rp.begin(this.parameters);
    this.#begun.set(begun.state, begun);
    return begun.url;
  }

  async #finish(answer: URL | URLSearchParams): Promise<Answer> {
    const state = (answer instanceof URL ? answer.searchParams : answer).get('state')!;
    try {
      const session = randomUUID();
      this.#people.set(session, await this.#rp.finish(answer, this.#begun.get(state)!));
      return seeOther(new URL(this.origin), { 'Set-Cookie': `app=${session}; Path=/; HttpOnly; SameSite=Lax` });
    } catch (refused) {
      return page(`<p role="status">${(refused as { error?: string }).error ?? refused}</p>`);
    }
  }

  #end(sid: string): void {
    for (const [session, person] of this.#people) if (person.claims.sid === sid) this.#people.delete(session);
  }
}

function page(body: string): Answer {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>An app</title><link rel="icon" href="data:,">${body}</html>`;
  return { headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' }, body: html };
}

function seeOther(to: URL, headers = {}): Answer {
  return { status: 303, headers: { Location: to.href, ...headers } };
}
