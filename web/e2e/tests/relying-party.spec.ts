import * as oauth from 'oauth4webapi';
import { FormBrowser } from '../formbrowser.ts';
import { newPerson, type Keywright } from '../keywright.ts';
import { RelyingParty, type Begun, type Parameters } from '../relyingparty.ts';
import { expect, test } from '../test.ts';

const callback = 'http://localhost:7001/callback';
const home = 'http://localhost:7001/';

let clients = 0;

/** A client as it is registered, and oauth4webapi with it. */
async function webApp(keywright: Keywright, ...flags: string[]): Promise<RelyingParty> {
  const { client_id, client_secret } = register(keywright, ...flags);
  const auth = client_secret ? oauth.ClientSecretBasic(client_secret) : oauth.None();
  return RelyingParty.discover(keywright.issuer, { client_id }, auth, callback);
}

function register(keywright: Keywright, ...flags: string[]) {
  return keywright.addClient(`rp-${++clients}`, '--redirect-uri', callback, '--post-logout-redirect-uri', home, ...flags);
}

/** A new person on the page of a request, ready to sign in. */
async function visit(keywright: Keywright, begun: Begun): Promise<FormBrowser> {
  return (await FormBrowser.open(keywright.issuer)).get(begun.url);
}

async function signIn(keywright: Keywright, rp: RelyingParty, parameters: Parameters = {}) {
  const person = await keywright.register(newPerson());
  const begun = await rp.begin(parameters);
  const browser = await (await visit(keywright, begun)).signIn(person);
  if (parameters.response_mode === 'form_post') await browser.press('continue');
  return { person, browser, begun, answer: browser.answer(callback) };
}

function refusedBy(error: string, status: number) {
  return expect.objectContaining({ error, status });
}

for (const alg of ['ES256', 'RS256', 'EdDSA']) {
  test(`signs in with PKCE and an ID token by ${alg}`, async ({ keywright }) => {
    const rp = await webApp(keywright, '--public', '--id-token-alg', alg);
    const { person, begun, answer } = await signIn(keywright, rp);
    const signedIn = await rp.finish(answer, begun);
    expect(signedIn.claims).toMatchObject({ iss: keywright.issuer, aud: rp.client.client_id, nonce: begun.nonce, amr: ['pwd'] });
    expect(await rp.userInfo(signedIn)).toMatchObject({ sub: signedIn.claims.sub, email: person.email, name: person.name });
  });
}

test('takes signed UserInfo', async ({ keywright }) => {
  const rp = await webApp(keywright, '--userinfo-alg', 'ES256');
  rp.client.userinfo_signed_response_alg = 'ES256';
  const { person, begun, answer } = await signIn(keywright, rp);
  expect(await rp.userInfo(await rp.finish(answer, begun))).toMatchObject({ email: person.email });
});

test('takes the answer by form post', async ({ keywright }) => {
  const rp = await webApp(keywright);
  const { begun, answer } = await signIn(keywright, rp, { response_mode: 'form_post' });
  expect(answer).toBeInstanceOf(URLSearchParams); // nothing stands in an address
  expect((await rp.finish(answer, begun)).claims.nonce).toBe(begun.nonce);
});

test('authenticates by a private key, and by no other', async ({ keywright }) => {
  const keys = await oauth.generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await crypto.subtle.exportKey('jwk', keys.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
  const { client_id } = register(keywright, '--auth-method', 'private_key_jwt', '--jwks', keywright.file('jwks.json', { keys: [jwk] }));
  const withKey = (key: oauth.CryptoKey) =>
    RelyingParty.discover(keywright.issuer, { client_id }, oauth.PrivateKeyJwt({ key, kid: 'one' }), callback);
  const rp = await withKey(keys.privateKey);
  const { begun, answer } = await signIn(keywright, rp);
  const other = await withKey((await oauth.generateKeyPair('ES256')).privateKey);
  await expect(other.finish(answer, begun)).rejects.toMatchObject({ status: 401 });
  const signedIn = await rp.finish(answer, begun);
  await expect(other.refresh(signedIn.refreshToken!)).rejects.toMatchObject({ status: 401 });
  await rp.refresh(signedIn.refreshToken!);
});

test('a wrong code verifier is refused', async ({ keywright }) => {
  const rp = await webApp(keywright);
  const { begun, answer } = await signIn(keywright, rp);
  const wrong = { ...begun, verifier: oauth.generateRandomCodeVerifier() };
  await expect(rp.finish(answer, wrong)).rejects.toEqual(refusedBy('invalid_grant', 400));
});

test('a replayed code is refused, and ends what it was redeemed for', async ({ keywright }) => {
  const rp = await webApp(keywright);
  const { begun, answer } = await signIn(keywright, rp);
  const signedIn = await rp.finish(answer, begun);
  await expect(rp.finish(answer, begun)).rejects.toEqual(refusedBy('invalid_grant', 400));
  await expect(rp.refresh(signedIn.refreshToken!)).rejects.toEqual(refusedBy('invalid_grant', 400));
  await expect(rp.userInfo(signedIn)).rejects.toMatchObject({ status: 401 });
});

test('a wrong client secret is refused, and the right one still redeems', async ({ keywright }) => {
  const rp = await webApp(keywright);
  const wrong = await RelyingParty.discover(keywright.issuer, rp.client, oauth.ClientSecretBasic('wrong'), callback);
  const { begun, answer } = await signIn(keywright, rp);
  await expect(wrong.finish(answer, begun)).rejects.toMatchObject({ status: 401, cause: [{ scheme: 'basic' }] });
  await rp.finish(answer, begun);
});

test('prompt=none asks nobody anything', async ({ keywright }) => {
  const rp = await webApp(keywright);
  const silent = await rp.begin({ prompt: 'none' });
  const stranger = await visit(keywright, silent);
  await expect(rp.finish(stranger.answer(callback), silent)).rejects.toMatchObject({ error: 'login_required' });

  const { browser } = await signIn(keywright, rp);
  await browser.get(silent.url);
  expect((await rp.finish(browser.answer(callback), silent)).claims.nonce).toBe(silent.nonce);

  const other = await webApp(keywright);
  const unasked = await other.begin({ prompt: 'none' });
  await browser.get(unasked.url);
  await expect(other.finish(browser.answer(callback), unasked)).rejects.toMatchObject({ error: 'consent_required' });
});

test('an answer that somebody changed is not taken', async ({ keywright }) => {
  const rp = await webApp(keywright);
  const { begun, answer } = await signIn(keywright, rp);
  const changed = (name: string, value?: string) => {
    const url = new URL(String(answer));
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
    return url;
  };
  await expect(rp.finish(changed('state', 'another'), begun)).rejects.toThrow('"state"');
  await expect(rp.finish(changed('iss', 'https://other.example.com'), begun)).rejects.toThrow('"iss"');
  await expect(rp.finish(changed('iss'), begun)).rejects.toThrow('"iss"');
  await expect(rp.finish(answer, { ...begun, nonce: 'another' })).rejects.toThrow('"nonce"');
});

test('a request is refused with its state and iss', async ({ keywright }) => {
  const rp = await webApp(keywright);
  for (const [parameters, error] of [
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ request: 'e30.e30.' }, 'request_not_supported'],
    [{ scope: 'unknown' }, 'invalid_scope'],
  ] as const) {
    const begun = await rp.begin(parameters);
    const browser = await visit(keywright, begun);
    await expect(rp.finish(browser.answer(callback), begun)).rejects.toMatchObject({ error });
  }
});

test('a refresh token rotates, and whoever replays one ends them all', async ({ serve }) => {
  const strict = await serve({ KEYWRIGHT_REFRESH_GRACE: '0s' });
  const rp = await webApp(strict);
  const { begun, answer } = await signIn(strict, rp);
  const first = await rp.finish(answer, begun);
  const second = await rp.refresh(first.refreshToken!);
  expect(second.refresh_token).not.toBe(first.refreshToken);
  expect(oauth.getValidatedIdTokenClaims(second)).toMatchObject({ sub: first.claims.sub, auth_time: first.claims.auth_time });
  await expect(rp.refresh(first.refreshToken!)).rejects.toEqual(refusedBy('invalid_grant', 400));
  await expect(rp.refresh(second.refresh_token!)).rejects.toEqual(refusedBy('invalid_grant', 400));
});

test('what is revoked is dead at once', async ({ keywright }) => {
  const rp = await webApp(keywright);
  const { begun, answer } = await signIn(keywright, rp);
  const signedIn = await rp.finish(answer, begun);
  await rp.revoke(signedIn.refreshToken!);
  await expect(rp.refresh(signedIn.refreshToken!)).rejects.toEqual(refusedBy('invalid_grant', 400));
  await expect(rp.userInfo(signedIn)).rejects.toMatchObject({ status: 401 });
});

test('sign-out by the app needs no click, and leads nowhere unregistered', async ({ keywright }) => {
  const rp = await webApp(keywright);
  const { begun, answer, browser } = await signIn(keywright, rp);
  const signedIn = await rp.finish(answer, begun);
  const hint = { id_token_hint: signedIn.idToken, state: 'after' };
  await browser.get(rp.endSession({ ...hint, post_logout_redirect_uri: home + 'elsewhere' }));
  expect(browser.left).toBeNull();
  expect(browser.status).toBe(400);
  await browser.get(rp.endSession({ ...hint, post_logout_redirect_uri: home }));
  expect(browser.left?.href).toBe(home + '?state=after');
  const silent = await rp.begin({ prompt: 'none' });
  await browser.get(silent.url);
  await expect(rp.finish(browser.answer(callback), silent)).rejects.toMatchObject({ error: 'login_required' });
  await expect(rp.refresh(signedIn.refreshToken!)).rejects.toEqual(refusedBy('invalid_grant', 400));
});
