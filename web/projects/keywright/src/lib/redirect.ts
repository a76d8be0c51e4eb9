import { DOCUMENT, inject, Injectable, InjectionToken } from '@angular/core';
import type { AuthorizationServer } from 'oauth4webapi';
import { BASE_URL, Config, KeywrightConfig } from './config';
import { KeywrightError } from './error';
import { Flow, Registration, SignInOptions } from './flow';
import { discover, endpoint, invalidToken, Issuer, protocol, revoke, send } from './issuer';
import type { Secrets } from './protocol';
import { forget, keep, mustKeep, recallRecord } from './storage';
import { begin, Claims, Issued, now, Person, Renewable, Tokens } from './tokens';

export interface RedirectOptions {
  /** Where the issuer sends people back to, below the app's base: register it as a redirect URI. It needs no route, unless a server renders the app. Default `callback`. */
  readonly callback?: string;
  /** A page of the app that offers to sign in; the guard leads there. Without it, the guard goes to the issuer at once. */
  readonly page?: string;
  /**
   * When to ask the issuer at the start of the app, by a redirect with `prompt=none`, whether it still knows the person:
   * where somebody was signed in before and has not signed out (`returning`, the default), `always`, or `never`.
   */
  readonly silent?: 'returning' | 'always' | 'never';
}

export const REDIRECT_OPTIONS = new InjectionToken<RedirectOptions>('options of withRedirect', { factory: () => ({}) });

/** Leaves the app for a page of the issuer; silently, it leaves no trace in the history. */
export const LEAVE = new InjectionToken<(url: URL, silently: boolean) => void>('leaves the app', {
  factory: () => {
    const { defaultView: window } = inject(DOCUMENT);
    return (url, silently) => {
      // Whoever comes back by the back button finds the page as it was, waiting: it begins anew.
      window?.addEventListener('pageshow', (event) => event.persisted && window.location.reload());
      window?.location[silently ? 'replace' : 'assign'](url);
    };
  },
});

/** What is remembered while a person is away to sign in, of this tab. */
interface Transaction extends Secrets {
  readonly returnTo: string;
  readonly scope: readonly string[];
  readonly maxAge?: number;
  /** Nobody has asked for it. */
  readonly silent: boolean;
  /** Somebody was signed in in this browser. */
  readonly known?: boolean;
}

const transactionName = 'keywright:transaction';

/** Answers to `prompt=none` that only mean that nobody is signed in. OpenID Connect Core §3.1.2.6. */
const nobody = ['login_required', 'interaction_required', 'consent_required', 'account_selection_required'];

/** Sign-in at the issuer's pages: code with PKCE (S256), state, nonce, and the check of `iss`. */
@Injectable()
export class Redirect extends Flow {
  readonly #config = inject(Config);
  readonly #document = inject(DOCUMENT);
  readonly #base = inject(BASE_URL);
  readonly #leave = inject(LEAVE);
  readonly #options = inject(REDIRECT_OPTIONS);
  readonly page = this.#options.page;
  readonly takesPasswords = false;
  #metadata?: Promise<AuthorizationServer>;
  #askedSilently = false;

  async issuer(): Promise<Issuer> {
    const { issuer, clientId } = await this.#config.load();
    if (!clientId) throw new KeywrightError('config-invalid', { found: `no clientId: register a public client with redirect URI ${this.#redirectUri}` });
    this.#metadata ??= discover(issuer).catch((error) => {
      this.#metadata = undefined; // the next attempt asks again
      throw error;
    });
    return { as: await this.#metadata, clientId };
  }

  arrive(): ((known: boolean) => Promise<Tokens | undefined>) | undefined {
    const { location, history } = this.#document.defaultView!;
    const transaction = recallRecord<Transaction>('sessionStorage', transactionName);
    const address = new URL(location.href);
    if (address.pathname !== new URL(this.#redirectUri).pathname) {
      this.#askedSilently = !!transaction?.silent; // and the issuer did not send the person back
      if (transaction?.silent) forget('sessionStorage', transactionName);
      return undefined;
    }
    const answer = address.searchParams;
    const isAnswer = ['state', 'code', 'error'].some((name) => answer.has(name));
    const begun = transaction?.state && answer.get('state') === transaction.state ? transaction : undefined;
    const returnTo = transaction?.returnTo ?? this.#base;
    if (begun) keep('sessionStorage', transactionName, JSON.stringify({ returnTo })); // for whoever goes back in the history
    if (isAnswer || this.#redirectUri !== this.#base) history.replaceState(null, '', returnTo);
    return isAnswer ? (known) => this.#finish(answer, begun, known) : undefined;
  }

  async #finish(answer: URLSearchParams, begun: Transaction | undefined, known: boolean): Promise<Tokens | undefined> {
    if (!begun) throw new KeywrightError('state-mismatch');
    if (begun.silent && begun.known && !known) return undefined; // signed out meanwhile
    try {
      const issuer = await this.issuer();
      const { redeem } = await protocol();
      const issued = await redeem(issuer, answer, this.#redirectUri, begun);
      return begin(issued, await identify(issuer, issued, issued.idTokenClaims!.sub, begun.maxAge), begun.scope);
    } catch (error) {
      if (begun.silent && error instanceof KeywrightError && nobody.includes(error.reason ?? '')) return undefined;
      throw error;
    }
  }

  async restore(known: boolean, stands: () => boolean): Promise<Tokens | undefined> {
    const { silent = 'returning' } = this.#options;
    if (this.#askedSilently || silent === 'never' || (silent === 'returning' && !known)) return undefined;
    return this.#authorize({ prompt: 'none' }, this.#document.location.href, stands, known);
  }

  async signIn(options: SignInOptions, returnTo: string): Promise<Tokens | undefined> {
    return this.#authorize(options, returnTo);
  }

  /** @param stands given where nobody has asked for it: whether it still makes sense */
  async #authorize(options: SignInOptions, returnTo: string, stands?: () => boolean, known?: boolean): Promise<undefined> {
    const config = await this.#config.load();
    const issuer = await this.issuer();
    const { newSecrets, challengeOf } = await protocol();
    const transaction: Transaction = {
      ...newSecrets(), returnTo, scope: scopeOf(config, options.scope), maxAge: options.maxAge, silent: !!stands, known,
    };
    const url = this.#authorizationUrl(issuer, config, transaction, await challengeOf(transaction.verifier), options);
    if (stands?.() === false) return undefined;
    mustKeep('sessionStorage', transactionName, JSON.stringify(transaction));
    this.#leave(url, !!stands);
    return new Promise(() => {}); // the page is about to go
  }

  #authorizationUrl({ as, clientId }: Issuer, config: KeywrightConfig, begun: Transaction, challenge: string, options: SignInOptions): URL {
    return withQuery(endpoint(as, 'authorization_endpoint'), {
      client_id: clientId, redirect_uri: this.#redirectUri, response_type: 'code', scope: begun.scope.join(' '),
      state: begun.state, nonce: begun.nonce, code_challenge: challenge, code_challenge_method: 'S256',
      resource: config.resource, prompt: options.prompt, max_age: options.maxAge?.toString(), login_hint: options.loginHint, ui_locales: options.uiLocales,
    });
  }

  async register(_: Registration): Promise<never> {
    throw new KeywrightError('config-invalid', { found: 'register() needs withDirectSignIn()' });
  }

  async person(issued: Issued, { subject }: Renewable): Promise<Person> {
    return identify(await this.issuer(), issued, subject);
  }

  async signOut(tokens: Tokens | undefined): Promise<void> {
    const issuer = await this.issuer();
    if (tokens?.refreshToken) await revoke(issuer, tokens.refreshToken); // the session's end does it too: here it says whether the issuer is up
    if (!issuer.as.end_session_endpoint) return;
    this.#leave(withQuery(endpoint(issuer.as, 'end_session_endpoint'), {
      id_token_hint: tokens?.idToken, client_id: issuer.clientId, post_logout_redirect_uri: this.#base,
    }), false);
  }

  get #redirectUri(): string {
    return new URL(this.#options.callback ?? 'callback', this.#base).href;
  }
}

function scopeOf({ scope = 'openid profile email' }: KeywrightConfig, more: readonly string[] = []): string[] {
  return [...new Set(['openid', ...scope.split(' '), ...more])];
}

/** Says who it is: what the ID token says, and UserInfo. */
async function identify(issuer: Issuer, issued: Issued, subject: string, maxAge = Infinity): Promise<Person> {
  const { iat = 0, auth_time = -Infinity } = issued.idTokenClaims ?? {};
  const age = iat - auth_time; // by the issuer's clock alone
  if (age > maxAge + 60) throw invalidToken('auth_time');
  const claims: Claims = { ...issued.idTokenClaims, ...(await userInfo(issuer, issued, subject)), sub: subject };
  const user = { id: subject, name: text(claims.name), email: text(claims.email) };
  return { user, claims, authenticatedAt: now() - age * 1000 };
}

/** Everything UserInfo says of the person, or nothing: what the ID token says is enough. OpenID Connect Core §5.3.2. */
async function userInfo({ as }: Issuer, { accessToken }: Issued, subject: string): Promise<Claims | undefined> {
  if (!as.userinfo_endpoint) return undefined;
  const response = await send(endpoint(as, 'userinfo_endpoint'), accessToken).catch(() => undefined);
  const claims: Claims | undefined = response?.ok ? await response.json().catch(() => undefined) : undefined;
  return claims?.sub === subject ? claims : undefined;
}

function withQuery(url: URL, parameters: Record<string, string | undefined>): URL {
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
  return url;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
