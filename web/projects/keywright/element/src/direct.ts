import { Credentials, Methods, Outcome, Refusal, registered, Registration } from './methods';

/** How long to wait for an answer, in milliseconds. */
const requestTimeout = 15_000;

/** What the server answers, in part. */
interface Answer {
  readonly token?: string;
  readonly refresh_token?: string;
  readonly expires_in?: number;
  readonly error?: string;
  readonly fields?: Record<string, string>;
}

/** Sign-in by `/login` and `/register` of Keywright. */
export class Direct implements Methods {
  readonly #issuer: string;

  constructor(issuer: string | null) {
    this.#issuer = (issuer ?? '').replace(/\/$/, '');
  }

  signIn(credentials: Credentials): Promise<Outcome> {
    return this.#post('/login', credentials, ({ token, refresh_token: refreshToken, expires_in: expiresIn }) =>
      token ? { kind: 'signed-in', tokens: { accessToken: token, refreshToken, expiresIn } } : this.#invalid('/login answered no token'));
  }

  register(person: Registration): Promise<Outcome> {
    return this.#post('/register', person, () => registered);
  }

  async #post(path: string, body: Credentials | Registration, accepted: (answer: Answer) => Outcome): Promise<Outcome> {
    if (!isSafe(this.#issuer)) return this.#invalid('the attribute issuer must be an https URL (http is for localhost only)');
    try {
      const response = await send(this.#issuer + path, {
        method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' },
      });
      const answer: Answer = (await response.json().catch(() => undefined)) ?? {};
      return response.ok ? accepted(answer) : this.#refusal(path, response, answer);
    } catch (failure) {
      return failure instanceof TypeError && (await this.#isUp()) ? this.#originRefused() : refused('issuer-unreachable');
    }
  }

  #refusal(path: string, { status, headers }: Response, { error, fields }: Answer): Refusal {
    const retryAfter = Number(headers.get('Retry-After')) || undefined;
    if (status === 429) return refused('too-many-attempts', { retryAfter });
    if (status >= 500) return refused('issuer-unreachable', { retryAfter });
    if (status === 401) return refused('credentials-wrong');
    if (fields) return refused('input-invalid', { fields });
    if (error === 'registration_closed') return refused('registration-closed');
    if (error === 'origin_not_allowed') return this.#originRefused();
    return this.#invalid(`${path} answered ${status || 'a redirect'}`);
  }

  /** Asks for what every page may read: a browser tells nobody whether the server is down or only refuses this origin. */
  async #isUp(): Promise<boolean> {
    return send(this.#issuer + '/.well-known/openid-configuration').then((response) => response.ok, () => false);
  }

  #originRefused(): Refusal {
    const advice = 'its operator must list that origin in direct_origins (or a proxy redirects /login)';
    console.error(`keywright-sign-in: ${this.#issuer} lets no page of ${location.origin} sign in: ${advice}`);
    return refused('origin-refused');
  }

  #invalid(found: string): Refusal {
    console.error(`keywright-sign-in: ${this.#issuer || 'no issuer'}: ${found}`);
    return refused('issuer-invalid');
  }
}

function send(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { ...init, credentials: 'omit', redirect: 'manual', signal: AbortSignal.timeout(requestTimeout) });
}

function refused(code: Refusal['code'], more: Partial<Refusal> = {}): Refusal {
  return { kind: 'refused', code, ...more };
}

/** Says whether a password may go there. */
function isSafe(issuer: string): boolean {
  const url = URL.parse(issuer);
  return !!url && (url.protocol === 'https:' || (url.protocol === 'http:' && /^(.+\.)?localhost$|^127\.0\.0\.1$|^\[::1\]$/.test(url.hostname)));
}
