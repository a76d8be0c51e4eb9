import { DOCUMENT, inject, Injectable, InjectionToken } from '@angular/core';
import type { AuthorizationServer } from 'oauth4webapi';
import { BASE_URL, Config, KeywrightConfig } from './config';
import { invalidToken, KeywrightError } from './error';
import { Flow, Registration, SignInOptions } from './flow';
import { discover, endpoint, Issuer, protocol, revoke, send } from './issuer';
import type { Secrets } from './protocol';
import { forget, keep, mustKeep, recall } from './storage';
import { begin, Claims, Identity, Issued, now, Renewable, Tokens } from './tokens';

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

export const REDIRECT_OPTIONS = new InjectionToken<RedirectOptions>('REDIRECT_OPTIONS', { factory: () => ({}) });

/** Leaves the app for a page of the issuer, which may take its place in the history. */
export const LEAVE = new InjectionToken<(url: URL, replace: boolean) => void>('LEAVE', {
  factory: () => {
    const { defaultView: window } = inject(DOCUMENT);
    return (url, replace) => {
      // The back button restores the page as it was, waiting: it begins anew.
      window?.addEventListener('pageshow', (event) => event.persisted && window.location.reload());
      window?.location[replace ? 'replace' : 'assign'](url);
    };
  },
});

/** What this tab remembers while the person is away. */
interface Transaction extends Secrets {
  readonly returnTo: string;
  readonly scope: readonly string[];
  readonly maxAge?: number;
  /** Nobody has asked for it. */
  readonly silent: boolean;
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

  arrive(): ((signedOut: boolean) => Promise<Tokens | undefined>) | undefined {
    const { location, history } = this.#document.defaultView!;
    const transaction = recall<Transaction>('sessionStorage', transactionName);
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
    return isAnswer ? (signedOut) => this.#finish(answer, begun, signedOut) : undefined;
  }

  async #finish(answer: URLSearchParams, transaction: Transaction | undefined, signedOut: boolean): Promise<Tokens | undefined> {
    if (!transaction) throw new KeywrightError('state-mismatch');
    if (transaction.silent && signedOut) return undefined; // meanwhile
    try {
      const issuer = await this.issuer();
      const { redeem } = await protocol();
      const issued = await redeem(issuer, answer, this.#redirectUri, transaction);
      return begin(issued, await identify(issuer, issued, issued.idTokenClaims!.sub, transaction.maxAge), transaction.scope);
    } catch (error) {
      if (transaction.silent && error instanceof KeywrightError && nobody.includes(error.reason ?? '')) return undefined;
      throw error;
    }
  }

  async restore(wasSignedIn: boolean, isCurrent: () => boolean): Promise<Tokens | undefined> {
    const { silent = 'returning' } = this.#options;
    if (!isCurrent() || this.#askedSilently || silent === 'never' || (silent === 'returning' && !wasSignedIn)) return undefined;
    return this.#authorize({ prompt: 'none' }, this.#document.location.href, true, isCurrent);
  }

  async signIn(options: SignInOptions, returnTo: string, shown: boolean): Promise<Tokens | undefined> {
    return this.#authorize(options, returnTo, !shown);
  }

  /** @param isCurrent given where nobody has asked for it: whether it still makes sense */
  async #authorize(options: SignInOptions, returnTo: string, replace: boolean, isCurrent?: () => boolean): Promise<undefined> {
    const config = await this.#config.load();
    const issuer = await this.issuer();
    const { newSecrets, challengeOf } = await protocol();
    const transaction: Transaction = {
      ...newSecrets(), returnTo, scope: scopeOf(config, options.scope), maxAge: options.maxAge, silent: !!isCurrent,
    };
    const url = this.#authorizationUrl(issuer, config, transaction, await challengeOf(transaction.verifier), options);
    if (isCurrent?.() === false) return undefined;
    mustKeep('sessionStorage', transactionName, JSON.stringify(transaction));
    this.#leave(url, replace);
    return new Promise(() => {}); // the page is about to go
  }

  #authorizationUrl({ as, clientId }: Issuer, config: KeywrightConfig, transaction: Transaction, challenge: string, options: SignInOptions): URL {
    return withQuery(endpoint(as, 'authorization_endpoint'), {
      client_id: clientId, redirect_uri: this.#redirectUri, response_type: 'code', scope: transaction.scope.join(' '),
      state: transaction.state, nonce: transaction.nonce, code_challenge: challenge, code_challenge_method: 'S256',
      resource: config.resource, prompt: options.prompt, max_age: options.maxAge?.toString(), login_hint: options.loginHint, ui_locales: options.uiLocales,
    });
  }

  async register(_: Registration): Promise<never> {
    throw new KeywrightError('config-invalid', { found: 'register() needs withDirectSignIn()' });
  }

  async identify(issued: Issued, { subject }: Renewable): Promise<Identity> {
    return identify(await this.issuer(), issued, subject);
  }

  async signOut(tokens: Partial<Tokens> | null | undefined): Promise<void> {
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
async function identify(issuer: Issuer, issued: Issued, subject: string, maxAge = Infinity): Promise<Identity> {
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
