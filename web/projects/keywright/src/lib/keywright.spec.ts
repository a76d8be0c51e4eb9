import { HttpClient, HttpErrorResponse } from '@angular/common/http';
import { inject, PLATFORM_ID } from '@angular/core';
import { firstValueFrom } from 'rxjs';
import { beforeEach, describe, expect, expectTypeOf, it, onTestFinished, vi } from 'vitest';
import { FakeIssuer, startIssuer } from '../../spec/issuer';
import { ada, basic, direct, later, notes, signedIn, storing, Tab } from '../../spec/tab';
import { Keywright, provideKeywright, withStoredRefreshToken } from '../public-api';

let issuer: FakeIssuer;

beforeEach(async () => {
  issuer = await startIssuer();
});

/** A tab whose person has just signed in by redirect. */
async function arrived(): Promise<Tab> {
  const tab = await signedIn(issuer);
  expect(tab.keywright.status()).toBe('signed-in');
  return tab;
}

describe('an access token', () => {
  it.each([
    ['https://api.example.com/notes', true],
    ['https://api.example.com/notes/1?full', true],
    ['https://api.example.com/x/../notes/1', true],
    ['/api/things', true],
    ['https://app.example.com/api', true],
    ['https://api.example.com/notes-of-others', false],
    ['https://api.example.com/notes/../admin', false],
    ['https://api.example.com/notes/..%2fadmin', false],
    ['https://api.example.com/notes/..;/admin', false],
    ['https://api.example.com/notes/.%2e;/admin', false],
    ['https://api.example.com/notes/1;v=2', true],
    ['https://api.example.com/', false],
    ['http://api.example.com/notes', false],
    ['https://api.example.com:8443/notes', false],
    ['https://api.example.com.evil.example.com/notes', false],
    ['https://evil.example.com/notes', false],
    ['//evil.example.com/api', false],
    ['https://id.example.com/userinfo', false],
  ])('for %s: %s', async (url, sent) => {
    const tab = await arrived();
    await tab.get(url);
    expect(issuer.requests.at(-1)!.authorization).toBe(sent ? 'Bearer access-1' : undefined);
  });

  it('cannot be had by a page that came by plain http', async () => {
    vi.spyOn(crypto, 'subtle', 'get').mockReturnValue(undefined as never);
    const tab = await Tab.open();
    expect(await tab.keywright.ready()).toBe('failed');
    expect(tab.keywright.error()).toMatchObject({ code: 'config-invalid', message: expect.stringContaining('needs https') });
    await tab.keywright.signOut();
    expect(localStorage.length).toBe(0);
  });

  it('goes where the browser sends the request, whatever the base was at the start', async () => {
    const tab = await arrived();
    expect(await tab.keywright.accessToken('/api/notes')).toBe('access-1');
    const base = document.head.appendChild(document.createElement('base'));
    onTestFinished(() => base.remove());
    base.href = 'https://evil.example.com/';
    expect(await tab.keywright.accessToken('/api/notes')).toBeUndefined();
  });

  it.each([[['https://']], [['http://api.example.com/']], [['ftp://api.example.com/']], ['https://api.example.com/'], [null]])('is for no API such as %j', async (apis) => {
    const tab = await Tab.open({ config: { ...basic, apis: apis as string[] } });
    expect(await tab.keywright.ready()).toBe('failed');
    expect(tab.keywright.error()).toMatchObject({ code: 'config-invalid' });
    expect(await tab.keywright.accessToken('https://')).toBeUndefined();
  });

  it('waits until it is known whether somebody is signed in', async () => {
    const tab = await Tab.open();
    void tab.keywright.signIn();
    const callback = issuer.authorize(await tab.leaves());
    tab.close();
    expect(await (await Tab.open({ url: callback.href })).get(notes)).toEqual({ token: 'access-1' });
  });

  it('is not waited for by the request that fetches the configuration', async () => {
    issuer.instead = (path) => (path === 'https://app.example.com/config.json' ? Response.json(basic) : undefined);
    const tab = await Tab.open({ config: () => firstValueFrom(inject(HttpClient).get<typeof basic>('/config.json')) });
    expect(await tab.keywright.ready()).toBe('signed-out');
  });

  it('is renewed before it expires, once for all requests', async () => {
    const tab = await arrived();
    later(556);
    expect(await Promise.all([tab.get(notes), tab.get(notes), tab.get(notes)])).toEqual(Array(3).fill({ token: 'access-2' }));
    expect(issuer.count('/token')).toBe(2);
  });

  it('is not renewed long before', async () => {
    const tab = await arrived();
    later(539);
    expect(await tab.get(notes)).toEqual({ token: 'access-1' });
  });

  it('is renewed in the last fifth of a short life', async () => {
    issuer.expiresIn = 10;
    const tab = await arrived();
    later(7);
    expect(await tab.get(notes)).toEqual({ token: 'access-1' });
    later(8.6);
    expect(await tab.get(notes)).toEqual({ token: 'access-2' });
  });

  it('is renewed once when APIs refuse it, and the requests are made again', async () => {
    const tab = await arrived();
    issuer.accepts = (token) => token === 'access-2';
    expect(await Promise.all([tab.get(notes), tab.get(notes), tab.get(notes)])).toEqual(Array(3).fill({ token: 'access-2' }));
    expect(issuer.count('/token')).toBe(2);
    expect(issuer.count(notes)).toBe(6);
  });

  it('is not renewed again and again', async () => {
    const tab = await arrived();
    issuer.accepts = () => false;
    await expect(tab.get(notes)).rejects.toMatchObject({ status: 401 } satisfies Partial<HttpErrorResponse>);
    expect(issuer.count(notes)).toBe(2);
    expect(issuer.count('/token')).toBe(2);
  });

  it('is renewed although the first answer was lost', async () => {
    const tab = await arrived();
    later(600);
    let lost = 0;
    issuer.instead = (path) => (path === '/token' && !lost++ ? Promise.reject(new TypeError('Failed to fetch')) : undefined);
    expect(await tab.get(notes)).toEqual({ token: 'access-2' });
  });

  it('serves while it lives when the issuer is down, and then the error says so', async () => {
    const tab = await arrived();
    issuer.instead = (path) => (path === '/token' ? new Response('', { status: 502 }) : undefined);
    later(590);
    expect(await tab.get(notes)).toEqual({ token: 'access-1' });
    later(601);
    await expect(tab.get(notes)).rejects.toMatchObject({ code: 'issuer-unreachable' });
    expect(tab.keywright.status()).toBe('signed-in');
    issuer.instead = () => undefined;
    expect(await tab.get(notes)).toEqual({ token: 'access-2' });
    expect(tab.keywright.error()).toBeUndefined();
  });

  it('serves while it lives when the issuer hangs', async () => {
    const tab = await arrived();
    let giveUp = () => {};
    issuer.instead = (path) => (path === '/token' ? new Promise((resolve) => (giveUp = () => resolve(new Response('', { status: 502 })))) : undefined);
    later(590);
    expect(await tab.get(notes)).toEqual({ token: 'access-1' });
    expect(tab.keywright.error()).toBeUndefined(); // it is still being waited for
    giveUp();
    await vi.waitFor(() => expect(tab.keywright.error()).toMatchObject({ code: 'issuer-unreachable' }));
  });

  it('is renewed later when the issuer says that it cannot now', async () => {
    const tab = await arrived();
    issuer.instead = (path) => (path === '/token' ? Response.json({ error: 'temporarily_unavailable' }, { status: 400 }) : undefined);
    later(590);
    expect(await tab.get(notes)).toEqual({ token: 'access-1' });
    issuer.instead = () => undefined;
    expect(await tab.get(notes)).toEqual({ token: 'access-2' });
  });

  it('that is renewed leaves the ID token to the sign-out, also where the issuer sends no other', async () => {
    const tab = await signedIn(issuer, { features: [withStoredRefreshToken()] });
    issuer.instead = (path) => (path === '/token' ? Response.json({ access_token: 'access-2', token_type: 'Bearer', expires_in: 600 }) : undefined);
    later(600);
    issuer.accepts = () => true;
    await tab.get(notes);
    void tab.keywright.signOut();
    expect((await tab.leaves()).searchParams.get('id_token_hint')).toMatch(/^ey/);
  });

  it('ends with its session', async () => {
    const tab = await arrived();
    issuer.instead = (path) => (path === '/token' ? Response.json({ error: 'invalid_grant' }, { status: 400 }) : undefined);
    later(600);
    issuer.accepts = () => true;
    for (const _ of ['the request that finds it', 'a further one']) {
      expect(await tab.get(notes)).toEqual({});
      expect(tab.keywright.status()).toBe('signed-out');
      expect(tab.keywright.error()).toMatchObject({ code: 'session-ended' });
    }
  });

  it.each([
    ['sub', (claims: Record<string, unknown>) => (claims.sub = 'usr_eve')],
    ['iss', (claims: Record<string, unknown>) => (claims.iss = 'https://evil.example.com')],
    ['signature', () => (jwt: string) => jwt.replace(/\.[^.]{8}([^.]*)$/, '.AAAAAAAA$1')],
  ])('is not believed when the refreshed ID token has another %s', async (reason, mend) => {
    const tab = await arrived();
    issuer.mend = mend;
    later(600);
    await expect(tab.get(notes)).rejects.toMatchObject({ code: 'id-token-invalid', reason });
    expect(tab.keywright.status()).toBe('failed');
    expect(tab.keywright.user()).toBeUndefined();
  });

  it('is none after a sign-out, also of a refresh that was under way', async () => {
    const tab = await arrived();
    later(600);
    let answer = () => {};
    issuer.instead = (path) => (path === '/token' ? new Promise((resolve) => (answer = () => resolve(undefined as never))) : undefined);
    const request = tab.get(notes);
    await vi.waitFor(() => expect(issuer.count('/token')).toBe(2));
    const out = tab.keywright.signOut();
    answer();
    expect(await request).toEqual({});
    await out;
    expect(tab.keywright.status()).toBe('signed-out');
    expect(issuer.requests.filter(({ path }) => path === '/revoke').map(({ form }) => form.get('token'))).toContain('refresh-2');
  });
});

describe('a configuration', () => {
  it('that waits for its own request fails, and says so', async () => {
    const timeout = AbortSignal.timeout;
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((milliseconds) => timeout(milliseconds / 100));
    const config = async () => {
      const http = inject(HttpClient);
      await Promise.resolve();
      return firstValueFrom(http.get<typeof basic>('/config.json'));
    };
    const tab = await Tab.open({ config });
    expect(await tab.keywright.ready()).toBe('failed');
    expect(tab.keywright.error()).toMatchObject({ code: 'config-invalid', message: expect.stringContaining('no answer in time') });
  });
});

describe('a server that renders the app', () => {
  it('knows nobody, waits for nothing and sends no token', async () => {
    const tab = await Tab.open({ url: '/callback?code=code&state=state', providers: [{ provide: PLATFORM_ID, useValue: 'server' }] });
    expect(await tab.keywright.ready()).toBe('starting');
    expect(await tab.get(notes)).toEqual({});
    expect(issuer.requests.map(({ path }) => path)).toEqual([notes]);
    expect(location.pathname).toBe('/callback');
  });
});

describe('types', () => {
  it('refuse what cannot work', () => {
    // @ts-expect-error an issuer is needed
    provideKeywright({ clientId: 'app' });
    // @ts-expect-error a browser has no secret to keep
    provideKeywright({ issuer: 'https://id.example.com', clientId: 'app', clientSecret: 'secret' });
    expectTypeOf<Keywright['status']>().returns.toEqualTypeOf<'starting' | 'signed-out' | 'signed-in' | 'failed'>();
  });
});

describe('tabs', () => {
  it('learn of a sign-in, a refresh and a sign-out of each other', async () => {
    const other = await Tab.open();
    const tab = await arrived();
    await vi.waitFor(() => expect(other.keywright.user()?.name).toBe('Ada Lovelace'));
    later(600);
    expect(await Promise.all([tab.get(notes), other.get(notes)])).toEqual(Array(2).fill({ token: 'access-2' }));
    expect(issuer.count('/token')).toBe(2);
    await tab.keywright.signOut();
    await vi.waitFor(() => expect(other.keywright.status()).toBe('signed-out'));
    expect(await other.get(notes)).toEqual({});
  });

  it('help a new one to start', async () => {
    await arrived();
    const another = await Tab.open();
    expect(await another.keywright.ready()).toBe('signed-in');
    expect(another.wasLeft).toBe(false);
    expect(issuer.count('/token')).toBe(1);
  });
});

it('a stored refresh token is revoked at a sign-out, though it could not be used', async () => {
  const tab = await Tab.open(storing);
  await tab.keywright.signIn(ada);
  tab.close();
  issuer.instead = (path) => (path === '/token' ? new Response('', { status: 502 }) : undefined);
  const back = await Tab.open(storing);
  expect(await back.keywright.ready()).toBe('failed');
  await back.keywright.signOut();
  expect(issuer.requests.at(-1)!.form.get('token')).toBe('refresh-1');
  expect(Object.values(localStorage)).toEqual(['null']);
});

describe('direct sign-in', () => {
  it('registers, signs in, refreshes and signs out', async () => {
    const tab = await Tab.open(direct);
    const { keywright } = tab;
    expect(await keywright.register({ ...ada, name: 'Ada Lovelace' })).toBe(true);
    expect(await keywright.signIn(ada)).toBe(true);
    expect(keywright.user()).toEqual({ id: 'usr_ada', name: 'Ada Lovelace', email: 'ada@example.com' });
    later(600);
    expect(await tab.get(notes)).toEqual({ token: 'access-2' });
    await keywright.signOut();
    expect(keywright.status()).toBe('signed-out');
    expect(issuer.requests.at(-1)!.form.get('token')).toBe('refresh-2');
  });

  it.each([
    [401, { auth: false, token: null }, { code: 'credentials-wrong' }, 'signed-out'],
    [400, { error: 'invalid_request', fields: { password: 'too long' } }, { code: 'input-invalid', reason: 'password', fields: { password: 'too long' } }, 'signed-out'],
    [429, { error: 'too_many_attempts' }, { code: 'too-many-attempts', retryAfter: 30 }, 'signed-out'],
    [403, { error: 'origin_not_allowed' }, { code: 'origin-refused' }, 'failed'],
    [404, {}, { code: 'issuer-invalid' }, 'failed'],
    [503, {}, { code: 'issuer-unreachable' }, 'failed'],
  ])('that is answered with %i says what to do', async (status, body, error, result) => {
    issuer.instead = () => Response.json(body, { status, headers: { 'Retry-After': '30' } });
    const { keywright } = await Tab.open(direct);
    expect(await keywright.signIn(ada)).toBe(false);
    expect(keywright.error()).toMatchObject(error);
    expect(keywright.status()).toBe(result);
  });

  it('is over with the page', async () => {
    const tab = await Tab.open(direct);
    await tab.keywright.signIn(ada);
    tab.close();
    expect(await (await Tab.open(direct)).keywright.ready()).toBe('signed-out');
  });

  it('survives the page by choice, but not a sign-out', async () => {
    const tab = await Tab.open(storing);
    await tab.keywright.signIn(ada);
    tab.close();
    expect(JSON.stringify(localStorage)).not.toContain('access-1');
    const back = await Tab.open(storing);
    expect(await back.keywright.ready()).toBe('signed-in');
    expect(back.keywright.user()?.name).toBe('Ada Lovelace');
    await back.keywright.signOut();
    expect(Object.values(localStorage)).toEqual(['null']);
    expect(await (await Tab.open(storing)).keywright.ready()).toBe('signed-out');
  });
});
