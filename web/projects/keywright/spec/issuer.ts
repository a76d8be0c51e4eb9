import { vi } from 'vitest';

/** A small OpenID Provider and an API behind `fetch`, with real keys, which can be told to go wrong. */
export class FakeIssuer {
  readonly url = 'https://id.example.com';
  readonly metadata: Record<string, unknown> = {
    issuer: this.url,
    authorization_endpoint: this.url + '/authorize', token_endpoint: this.url + '/token', userinfo_endpoint: this.url + '/userinfo',
    jwks_uri: this.url + '/jwks', revocation_endpoint: this.url + '/revoke', end_session_endpoint: this.url + '/end_session',
    id_token_signing_alg_values_supported: ['ES256', 'RS256'], authorization_response_iss_parameter_supported: true,
  };
  readonly person = { sub: 'usr_ada', name: 'Ada Lovelace', email: 'ada@example.com' };
  readonly requests: { path: string; authorization?: string; form: URLSearchParams }[] = [];
  /** Public keys, as they are published. */
  jwks: JsonWebKey[] = [];
  /** Seconds since the person signed in. */
  authenticatedAgo = 5;
  expiresIn: number | undefined = 600;
  /** What it says it granted; undefined: nothing, which means all. */
  scope: string | undefined;
  /** Changes what an ID token says, before it is signed. */
  mend: (claims: Record<string, unknown>, header: Record<string, unknown>) => unknown = () => {};
  /** Answers instead of the issuer, if it wants to. */
  instead: (path: string, form: URLSearchParams) => Promise<Response> | Response | undefined = () => undefined;
  /** What the API says to a token. */
  accepts: (token: string) => boolean = (token) => token === this.newest;
  newest = '';
  #refreshToken = '';
  #kid = '';
  #alg: keyof typeof algorithms = 'ES256';
  #signingKey!: CryptoKeyPair;
  #tokens = 0;
  #nonce = '';

  static async start(): Promise<FakeIssuer> {
    const issuer = new FakeIssuer();
    await issuer.rotateKeys();
    return issuer;
  }

  async rotateKeys(kid = 'first', alg: keyof typeof algorithms = 'ES256'): Promise<void> {
    this.#signingKey = (await crypto.subtle.generateKey(algorithms[alg], true, ['sign', 'verify'])) as CryptoKeyPair;
    this.#alg = alg;
    this.jwks = [{ ...(await crypto.subtle.exportKey('jwk', this.#signingKey.publicKey)), kid } as JsonWebKey];
    this.#kid = kid;
  }

  /** What the person's browser comes back with after they signed in. */
  authorize(request: URL, changes: Record<string, string | null> = {}): URL {
    const query = request.searchParams;
    this.#nonce = query.get('nonce')!;
    const callback = new URL(query.get('redirect_uri')!);
    const answer = { code: 'code', state: query.get('state'), iss: this.url, ...changes };
    for (const [name, value] of Object.entries(answer)) if (value !== null) callback.searchParams.set(name, value);
    return callback;
  }

  count(path: string): number {
    return this.requests.filter((request) => request.path === path).length;
  }

  readonly fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input, location.href);
    const path = url.origin === this.url ? url.pathname : url.href;
    const form = new URLSearchParams(String(init.body ?? ''));
    const authorization = new Headers(init.headers).get('Authorization') ?? undefined;
    this.requests.push({ path, form, authorization });
    return (await this.instead(path, form)) ?? this.#answer(path, form, authorization, String(init.body));
  };

  async #answer(path: string, form: URLSearchParams, authorization: string | undefined, body: string): Promise<Response> {
    switch (path) {
      case '/.well-known/openid-configuration':
        return Response.json(this.metadata);
      case '/jwks':
        return Response.json({ keys: this.jwks });
      case '/userinfo':
        return Response.json(this.person);
      case '/token':
        return this.#token(form);
      case '/revoke':
      case '/register':
        return Response.json({ status: 'ok' });
      case '/login':
        return this.#login(JSON.parse(body));
      case '/profile':
        return Response.json({ id: this.person.sub, name: this.person.name, email: this.person.email });
    }
    const token = authorization?.replace('Bearer ', '');
    return token === undefined || this.accepts(token) ? Response.json({ token }) : Response.json({}, { status: 401 });
  }

  #login({ password }: { password: string }): Response {
    if (password !== 'right') return Response.json({ auth: false, token: null }, { status: 401 });
    const { access_token: token, ...rest } = this.#next();
    return Response.json({ auth: true, token, ...rest });
  }

  async #token(form: URLSearchParams): Promise<Response> {
    const refreshing = form.get('grant_type') === 'refresh_token';
    if (refreshing && form.get('refresh_token') !== this.#refreshToken) return Response.json({ error: 'invalid_grant' }, { status: 400 });
    const answer = this.#next();
    if (form.get('client_id') === 'direct') return Response.json(answer);
    return Response.json({ ...answer, id_token: await this.#idToken(refreshing ? undefined : this.#nonce) });
  }

  #next() {
    this.newest = `access-${++this.#tokens}`;
    this.#refreshToken = `refresh-${this.#tokens}`;
    return { access_token: this.newest, refresh_token: this.#refreshToken, token_type: 'Bearer', expires_in: this.expiresIn, scope: this.scope };
  }

  async #idToken(nonce: string | undefined): Promise<string> {
    const now = Math.floor(issuerNow() / 1000);
    const claims = { iss: this.url, sub: this.person.sub, aud: 'app', iat: now, exp: now + 3600, auth_time: now - this.authenticatedAgo, nonce, at_hash: await hash(this.newest) };
    const header = { alg: this.#alg, kid: this.#kid };
    const finish = this.mend(claims, header);
    const signed = `${encode(header)}.${encode(claims)}`;
    const signature = await crypto.subtle.sign(algorithms[this.#alg], this.#signingKey.privateKey, new TextEncoder().encode(signed));
    const jwt = `${signed}.${Buffer.from(signature).toString('base64url')}`;
    return typeof finish === 'function' ? finish(jwt) : jwt;
  }
}

/** An issuer that `fetch` reaches, in a browser that keeps nothing of an earlier test. */
export async function startIssuer(): Promise<FakeIssuer> {
  localStorage.clear();
  sessionStorage.clear();
  const issuer = await FakeIssuer.start();
  vi.stubGlobal('fetch', issuer.fetch);
  return issuer;
}

/** As WebCrypto names them. RFC 7518 §3.1. */
const algorithms = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
};

/** The issuer's clock is right, whatever is done to the app's. */
const issuerNow = Date.now.bind(Date);

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

async function hash(value: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(value));
  return Buffer.from(digest.slice(0, 16)).toString('base64url');
}
