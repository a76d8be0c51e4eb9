import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { FakeIssuer, startIssuer } from '../../spec/issuer';
import { basic, signedIn, Tab } from '../../spec/tab';
import { withRedirect } from '../public-api';

let issuer: FakeIssuer;

beforeEach(async () => {
  issuer = await startIssuer();
});

describe('sign-in by redirect', () => {
  it('asks for a code with PKCE, state and nonce', async () => {
    const tab = await Tab.open();
    expect(await tab.keywright.ready()).toBe('signed-out');
    void tab.keywright.signIn({ loginHint: 'ada@example.com', scope: ['notes:write'] });
    const query = (await tab.leaves()).searchParams;
    expect(Object.fromEntries(query)).toMatchObject({
      response_type: 'code', client_id: 'app', redirect_uri: 'https://app.example.com/callback', scope: 'openid profile email notes:write',
      code_challenge_method: 'S256', login_hint: 'ada@example.com',
    });
    for (const name of ['state', 'nonce', 'code_challenge']) expect(query.get(name)).toMatch(/^[\w-]{43}$/);
  });

  it('ends signed in, where it began, with a clean address', async () => {
    const tab = await signedIn(issuer, { url: '/' });
    expect(tab.keywright.error()).toBeUndefined();
    expect(tab.keywright.status()).toBe('signed-in');
    expect(tab.keywright.user()).toEqual({ id: 'usr_ada', name: 'Ada Lovelace', email: 'ada@example.com' });
    expect(tab.keywright.claims()).toMatchObject({ iss: issuer.url, email: 'ada@example.com' });
    expect(location.href).toBe('https://app.example.com/');
    expect(JSON.stringify({ ...sessionStorage })).not.toMatch(/nonce|verifier/);
    const [{ form }] = issuer.requests.filter(({ path }) => path === '/token');
    expect(form.get('code_verifier')).toMatch(/^[\w-]{43}$/);
    expect(form.has('client_secret')).toBe(false);
  });

  it.each(['', '/'])('leads back within the app alone, with base %j', async (base) => {
    const element = document.head.appendChild(document.createElement('base'));
    onTestFinished(() => element.remove());
    if (base) element.href = base;
    for (const returnTo of ['/notes?open=3#top', 'https://evil.example.com', '//evil.example.com/', '/.//evil.example.com', '\\\\evil.example.com', 'javascript:alert(1)']) {
      const tab = await Tab.open();
      void tab.keywright.signIn({ returnTo });
      const callback = issuer.authorize(await tab.leaves());
      tab.close();
      (await Tab.open({ url: callback.href })).close();
      expect(location.pathname).not.toBe('/callback');
      if (returnTo.startsWith('/notes')) expect(location.href).toBe('https://app.example.com/notes?open=3#top');
      localStorage.clear();
    }
  });

  it('has a callback at the base, or below a base without a slash', async () => {
    const { APP_BASE_HREF } = await import('@angular/common');
    const atBase = await Tab.open({ url: '/?tab=3#x', features: [withRedirect({ callback: '' })] });
    await atBase.keywright.ready();
    expect(location.href).toBe('https://app.example.com/?tab=3#x');
    const shop = await Tab.open({ providers: [{ provide: APP_BASE_HREF, useValue: '/shop' }] });
    void shop.keywright.signIn({ returnTo: '/deep' });
    expect((await shop.leaves()).searchParams.get('redirect_uri')).toBe('https://app.example.com/shop/callback');
  });

  it('works when the clock of the device is ten minutes off', async () => {
    for (const minutes of [10, -10]) {
      const right = Date.now;
      vi.spyOn(Date, 'now').mockImplementation(() => right() + minutes * 60_000);
      issuer.mend = (claims) => (claims.exp = (claims.iat as number) + 300);
      const tab = await signedIn(issuer);
      expect(tab.keywright.error()).toBeUndefined();
      expect(tab.keywright.authenticationAge()).toBeCloseTo(5, 0);
      tab.close();
      vi.restoreAllMocks();
      vi.stubGlobal('fetch', issuer.fetch);
    }
  });

  it('fetches keys again that rotated just before the signature', async () => {
    const stale = issuer.jwks;
    await issuer.rotateKeys('second');
    issuer.instead = (path) => (path === '/jwks' && issuer.count('/jwks') === 1 ? Response.json({ keys: stale }) : undefined);
    const tab = await signedIn(issuer);
    expect(tab.keywright.error()).toBeUndefined();
    expect(issuer.count('/jwks')).toBe(2);
  });
});

describe('what is refused', () => {
  type Mend = FakeIssuer['mend'];
  const defects: Record<string, Mend> = {
    iss: (claims) => (claims.iss = 'https://evil.example.com'),
    aud: (claims) => (claims.aud = 'another'),
    azp: (claims) => Object.assign(claims, { aud: ['app', 'another'], azp: 'another' }),
    exp: (claims) => (claims.exp = (claims.iat as number) - 3600),
    sub: (claims) => (claims.sub = ''),
    nonce: (claims) => (claims.nonce = 'another'),
    at_hash: (claims) => (claims.at_hash = 'another'),
    c_hash: (claims) => (claims.c_hash = 'another'),
    auth_time: (claims) => (claims.auth_time = 'yesterday'),
    alg: (_, header) => (header.alg = 'none'),
    key: (_, header) => (header.kid = 'unknown'),
    signature: () => (jwt: string) => jwt.replace(/\.[^.]{8}([^.]*)$/, '.AAAAAAAA$1'),
    form: () => () => 'no.jwt',
  };
  const missing = ['iss', 'aud', 'exp', 'iat', 'sub', 'nonce'].map((claim): [string, Mend] => [claim, (claims) => void delete claims[claim]]);

  it.each([...Object.entries(defects).map(([name, mend]) => ['wrong', name, mend] as const), ...missing.map(([name, mend]) => ['missing', name, mend] as const)])(
    'an ID token with a %s %s',
    async (_, reason, mend) => {
      issuer.mend = mend;
      const { keywright } = await signedIn(issuer);
      expect(keywright.error()).toMatchObject({ code: 'id-token-invalid', reason });
      expect(keywright.status()).toBe('failed');
      expect(await keywright.accessToken('https://api.example.com/notes')).toBeUndefined();
    },
  );

  it('a wrong signature, but not the right one, of an issuer that signs with RS256', async () => {
    await issuer.rotateKeys('rsa', 'RS256');
    const right = await signedIn(issuer);
    expect(right.keywright.error()).toBeUndefined();
    right.close();
    issuer.mend = defects['signature'];
    expect((await signedIn(issuer)).keywright.error()).toMatchObject({ code: 'id-token-invalid', reason: 'signature' });
  });

  it('a signature by a secret, with the public key as the secret', async () => {
    issuer.mend = (_, header) => (header.alg = 'HS256');
    expect((await signedIn(issuer)).keywright.error()).toMatchObject({ code: 'id-token-invalid', reason: 'alg' });
  });

  it('a key without kid among several, but not a single one', async () => {
    issuer.mend = (_, header) => void delete header.kid;
    const alone = await signedIn(issuer);
    expect(alone.keywright.status()).toBe('signed-in');
    await alone.keywright.signOut();
    alone.close();
    issuer.jwks.push({ ...issuer.jwks[0], kid: 'second' } as JsonWebKey);
    expect((await signedIn(issuer)).keywright.error()).toMatchObject({ reason: 'key' });
  });

  it('an ID token for this app that names another as who asked for it', async () => {
    issuer.mend = (claims) => (claims.azp = 'another');
    expect((await signedIn(issuer)).keywright.error()).toMatchObject({ code: 'id-token-invalid', reason: 'azp' });
  });

  it('what UserInfo says of somebody else', async () => {
    issuer.instead = (path) => (path === '/userinfo' ? Response.json({ sub: 'usr_eve', name: 'Eve' }) : undefined);
    const { keywright } = await signedIn(issuer);
    expect(keywright.user()).toEqual({ id: 'usr_ada', name: undefined, email: undefined });
  });

  it('an answer of another issuer, or of none', async () => {
    for (const iss of ['https://evil.example.com', null]) {
      const tab = await signedIn(issuer, {}, { iss });
      expect(tab.keywright.error()).toMatchObject({ code: 'issuer-mismatch' });
      tab.close();
    }
    expect(issuer.count('/token')).toBe(0);
  });

  it('an answer to a question that this tab did not ask', async () => {
    const { keywright } = await signedIn(issuer, {}, { state: 'another' });
    expect(keywright.error()).toMatchObject({ code: 'state-mismatch' });
    expect(location.href).toBe('https://app.example.com/');
    expect(issuer.count('/token')).toBe(0);
  });

  it('the same answer again, which somebody brings who goes back in the history', async () => {
    const tab = await Tab.open();
    void tab.keywright.signIn({ returnTo: '/deep' });
    const callback = issuer.authorize(await tab.leaves()).href;
    tab.close();
    const back = await Tab.open({ url: callback });
    await back.keywright.ready();
    back.close();
    const again = await Tab.open({ url: callback });
    expect((await again.leaves()).searchParams.get('prompt')).toBe('none');
    expect(again.keywright.error()).toBeUndefined();
    expect(location.pathname + location.search).toBe('/deep');
    expect(issuer.count('/token')).toBe(1);
  });

  it('no answer again after a reload either', async () => {
    const tab = await Tab.open();
    void tab.keywright.signIn();
    const callback = issuer.authorize(await tab.leaves()).href;
    tab.close();
    const back = await Tab.open({ url: callback });
    await back.keywright.ready();
    back.close();
    const reloaded = await Tab.open();
    const silent = issuer.authorize(await reloaded.leaves()).href;
    reloaded.close();
    const restored = await Tab.open({ url: silent });
    expect(await restored.keywright.ready()).toBe('signed-in');
    restored.close();
    const again = await Tab.open({ url: callback });
    expect((await again.leaves()).searchParams.get('prompt')).toBe('none');
    expect(issuer.count('/token')).toBe(2);
  });

  it('a code beside an error', async () => {
    const { keywright } = await signedIn(issuer, {}, { error: 'access_denied', error_description: 'Ada said no' });
    expect(keywright.error()).toMatchObject({ code: 'sign-in-refused', reason: 'access_denied' });
    expect(keywright.error()!.message).toContain('Ada said no');
    expect(issuer.count('/token')).toBe(0);
  });

  it('an issuer that calls itself otherwise, naming both', async () => {
    issuer.metadata.issuer = 'https://other.example.com';
    const tab = await Tab.open();
    expect(await tab.keywright.signIn()).toBe(false);
    expect(tab.keywright.error()).toMatchObject({ code: 'issuer-mismatch' });
    expect(tab.keywright.error()!.message).toMatch(/https:\/\/id\.example\.com.*https:\/\/other\.example\.com/);
  });

  it('plain http, but on this machine', async () => {
    const tab = await Tab.open({ config: { ...basic, issuer: 'http://id.example.com' } });
    expect(await tab.keywright.ready()).toBe('failed');
    expect(tab.keywright.error()).toMatchObject({ code: 'config-invalid' });
    expect(await (await Tab.open({ config: { ...basic, issuer: 'http://localhost:10101' } })).keywright.ready()).toBe('signed-out');
  });

  it('to send a code over plain http', async () => {
    const { metadata } = issuer;
    const tab = await Tab.open();
    void tab.keywright.signIn();
    const callback = issuer.authorize(await tab.leaves());
    tab.close();
    metadata['token_endpoint'] = 'http://evil.example.com/token';
    const back = await Tab.open({ url: callback.href });
    expect(await back.keywright.ready()).toBe('failed');
    expect(back.keywright.error()).toMatchObject({ code: 'issuer-invalid', message: expect.stringContaining('token_endpoint') });
    expect(issuer.count('http://evil.example.com/token')).toBe(0);
  });

  it('to send a refresh token over plain http', async () => {
    issuer.metadata.revocation_endpoint = 'http://id.example.com/revoke';
    const tab = await signedIn(issuer);
    await tab.keywright.signOut();
    expect((await tab.leaves()).pathname).toBe('/end_session');
    expect(issuer.requests.some(({ path }) => path.endsWith('/revoke'))).toBe(false);
  });

  it('to go on where nothing may be kept', async () => {
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new DOMException('denied', 'SecurityError');
    });
    const tab = await Tab.open();
    expect(await tab.keywright.signIn()).toBe(false);
    expect(tab.keywright.error()).toMatchObject({ code: 'storage-forbidden' });
    expect(tab.wasLeft).toBe(false);
  });
});

describe('an issuer that is down', () => {
  it.each([
    ['refuses connections', () => Promise.reject(new TypeError('Failed to fetch'))],
    ['is overloaded', () => new Response('', { status: 503, headers: { 'Retry-After': '5' } })],
  ])('%s, and is asked again when somebody tries again', async (_, down) => {
    issuer.instead = down;
    const tab = await Tab.open();
    expect(await tab.keywright.signIn()).toBe(false);
    expect(tab.keywright.error()).toMatchObject({ code: 'issuer-unreachable' });
    expect(tab.keywright.status()).toBe('failed');
    issuer.instead = () => undefined;
    void tab.keywright.signIn();
    await tab.leaves();
  });
});

describe('a reload', () => {
  it('asks the issuer once, without a page, where somebody was signed in', async () => {
    (await signedIn(issuer)).close();
    const tab = await Tab.open({ url: '/notes' });
    const request = await tab.leaves();
    expect(request.searchParams.get('prompt')).toBe('none');
    tab.close();
    const back = await Tab.open({ url: issuer.authorize(request).href });
    expect(await back.keywright.ready()).toBe('signed-in');
    expect(location.pathname).toBe('/notes');
  });

  it('takes no for an answer', async () => {
    (await signedIn(issuer)).close();
    const tab = await Tab.open();
    const refused = issuer.authorize(await tab.leaves(), { code: null, error: 'login_required' });
    tab.close();
    const back = await Tab.open({ url: refused.href });
    expect(await back.keywright.ready()).toBe('signed-out');
    expect(back.keywright.error()).toBeUndefined();
    expect(await (await Tab.open()).keywright.ready()).toBe('signed-out');
  });

  it('does not ask again when no answer came back', async () => {
    (await signedIn(issuer)).close();
    const tab = await Tab.open();
    await tab.leaves();
    tab.close();
    const back = await Tab.open();
    expect(await back.keywright.ready()).toBe('signed-out');
    expect(back.wasLeft).toBe(false);
  });

  it('asks nobody after a sign-out', async () => {
    const tab = await signedIn(issuer);
    await tab.keywright.signOut();
    const end = await tab.leaves();
    expect(end.origin + end.pathname).toBe(issuer.url + '/end_session');
    expect(end.searchParams.get('id_token_hint')).toMatch(/^ey/);
    expect(issuer.requests.at(-1)).toMatchObject({ path: '/revoke' });
    const after = await Tab.open();
    expect(await after.keywright.ready()).toBe('signed-out');
    expect(after.wasLeft).toBe(false);
  });

  it('asks nobody after a sign-out, though it asks at every start', async () => {
    const features = [withRedirect({ silent: 'always' })];
    const tab = await signedIn(issuer, { features });
    await tab.keywright.signOut();
    tab.close();
    for (const _ of ['the page that follows', 'a later one']) {
      const after = await Tab.open({ features });
      expect(await after.keywright.ready()).toBe('signed-out');
      expect(after.wasLeft).toBe(false);
      after.close();
    }
    (await signedIn(issuer, { features })).close();
    await (await Tab.open({ features })).leaves(); // until somebody signs in again
  });

  it('takes no answer that comes after a sign-out', async () => {
    const features = [withRedirect({ silent: 'always' })];
    const asking = await Tab.open({ features });
    const callback = issuer.authorize(await asking.leaves());
    asking.close();
    localStorage.setItem(`keywright ${issuer.url} app`, 'null'); // as another tab does, where somebody signs in and out
    const back = await Tab.open({ features, url: callback.href });
    expect(await back.keywright.ready()).toBe('signed-out');
    expect(issuer.count('/token')).toBe(0);
    expect(Object.values(localStorage)).toEqual(['null']);
  });

  it('asks at every start, or never, by choice', async () => {
    const always = await Tab.open({ features: [withRedirect({ silent: 'always' })] });
    await always.leaves();
    expect(always.replaced).toBe(true);
    always.close();
    (await signedIn(issuer)).close();
    expect(await (await Tab.open({ features: [withRedirect({ silent: 'never' })] })).keywright.ready()).toBe('signed-out');
  });
});
