import { inject, Injectable, InjectionToken } from '@angular/core';
import { Config } from './config';
import { KeywrightError } from './error';
import { Credentials, Flow, Registration, SignInOptions } from './flow';
import { below, Issuer, reach, revoke, send } from './issuer';
import { begin, Identity, Issued, now, Renewable, Tokens } from './tokens';

export interface DirectOptions {
  /** The app's page with the sign-in form; the guard leads there. Default `/login`. */
  readonly page?: string;
}

export const DIRECT_OPTIONS = new InjectionToken<DirectOptions>('DIRECT_OPTIONS', { factory: () => ({}) });

/** The client that the tokens of the API belong to. */
const clientId = 'direct';

const scope = ['openid', 'profile', 'email'];

/** What the API answers, in part. */
interface Answer {
  readonly id?: string;
  readonly name?: string;
  readonly email?: string;
  readonly token?: string;
  readonly expires_in?: number;
  readonly refresh_token?: string;
  readonly error?: string;
  readonly error_description?: string;
  readonly fields?: Record<string, string>;
}

/** Sign-in by a form of the app itself: `/register`, `/login` and `/profile` of Keywright. */
@Injectable()
export class Direct extends Flow {
  readonly #config = inject(Config);
  readonly page = inject(DIRECT_OPTIONS).page ?? '/login';
  readonly takesPasswords = true;

  async issuer(): Promise<Issuer> {
    const { issuer } = await this.#config.load();
    return { as: { issuer, token_endpoint: below(issuer, 'token'), revocation_endpoint: below(issuer, 'revoke') }, clientId };
  }

  arrive(): undefined {}

  async restore(): Promise<undefined> {}

  async signIn({ email, password }: SignInOptions): Promise<Tokens> {
    if (email === undefined || password === undefined) {
      throw new KeywrightError('config-invalid', { found: 'direct sign-in needs email and password' });
    }
    const answer = await this.#call('login', { email, password });
    const issued = { accessToken: answer.token!, refreshToken: answer.refresh_token, expiresIn: answer.expires_in };
    return begin(issued, await this.#profile(issued, now()), scope);
  }

  async register(person: Registration): Promise<void> {
    await this.#call('register', { email: person.email, name: person.name, password: person.password });
  }

  identify(issued: Issued, _: Renewable): Promise<Identity> {
    return this.#profile(issued, -Infinity);
  }

  async #profile({ accessToken }: Issued, authenticatedAt: number): Promise<Identity> {
    const { id, name, email } = await this.#call('profile', undefined, accessToken);
    return { user: { id: id!, name, email }, authenticatedAt };
  }

  async signOut(tokens: Partial<Tokens> | null | undefined): Promise<void> {
    if (tokens?.refreshToken) await revoke(await this.issuer(), tokens.refreshToken);
  }

  async #call(path: 'register' | 'login' | 'profile', body?: Credentials | Registration, token?: string): Promise<Answer> {
    const { issuer } = await this.#config.load();
    const answer = send(below(issuer, path), token, body);
    const response = await reach(issuer, answer, 'too-many-attempts');
    if (!response.ok) throw await refusal(path, response);
    return response.json();
  }
}

async function refusal(path: string, response: Response): Promise<KeywrightError> {
  const { status } = response;
  const { error, error_description: found, fields }: Answer = await response.json().catch(() => ({}));
  if (status === 401) return new KeywrightError(path === 'login' ? 'credentials-wrong' : 'token-refused');
  if (fields) return new KeywrightError('input-invalid', { reason: Object.keys(fields)[0], fields, found });
  if (error === 'registration_closed') return new KeywrightError('registration-closed', { found });
  if (error === 'origin_not_allowed') return new KeywrightError('origin-refused', { found });
  return new KeywrightError('issuer-invalid', { found: `/${path} answered ${status}` });
}
