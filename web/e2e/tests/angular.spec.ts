import type { BrowserContext, Page } from '@playwright/test';
import { Api } from '../apps/api.ts';
import { BuiltApp } from '../apps/built.ts';
import { freePort } from '../apps/listen.ts';
import { newPerson, type Keywright } from '../keywright.ts';
import { allow, signIn } from '../person.ts';
import { expect, test as base } from '../test.ts';

/** The demo, on the built library, is the app; an API that counts stands beside it. */
const test = base.extend<{ api: Api }>({
  api: async ({}, use) => {
    const api = await Api.start();
    await use(api);
    await api.stop();
  },
});

/** Counts how often the issuer was asked to sign in, with a page or without. */
function countQuestions(context: BrowserContext): { all: number; silent: number } {
  const asked = { all: 0, silent: 0 };
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.pathname !== '/authorize') return;
    asked.all++;
    if (url.searchParams.get('prompt') === 'none') asked.silent++;
  });
  return asked;
}

async function signedIn(page: Page, keywright: Keywright, app: BuiltApp, path = '/profile') {
  const person = await keywright.register(newPerson());
  await page.goto(app.origin + path);
  await signIn(page, person);
  await page.waitForURL(app.origin + path);
  await expectSignedIn(page);
  return person;
}

async function expectSignedIn(page: Page): Promise<void> {
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
}

async function expectSignedOut(page: Page): Promise<void> {
  await expect(page.getByRole('banner').getByRole('link', { name: 'Sign in' })).toBeVisible();
}

async function call(page: Page): Promise<void> {
  const answered = page.waitForResponse((response) => response.request().headers()['authorization'] !== undefined);
  await page.getByRole('button', { name: 'Call the API' }).click();
  await answered;
}

async function expectError(page: Page, code: string): Promise<void> {
  await expect(page.getByRole('alert').locator('code')).toContainText(code);
}

test('an app leads to the deep link, stays over a reload, and is signed out in all tabs', async ({ keywright, start, context, page, api }) => {
  const app = await start(BuiltApp, { id: 'link', settings: { api: api.url } });
  const person = await keywright.register(newPerson());
  const asked = countQuestions(context);
  const deepLink = app.origin + '/api?note=7&text=a%2Fb#end';
  await page.goto(deepLink);
  await signIn(page, person);
  await allow(page);
  await page.waitForURL(deepLink);
  await expect(page.getByRole('banner')).toContainText(person.name);
  expect(asked).toEqual({ all: 1, silent: 0 });

  await page.reload();
  await expectSignedIn(page);
  expect(page.url()).toBe(deepLink);
  expect(asked).toEqual({ all: 2, silent: 1 });

  const second = await context.newPage();
  await second.goto(app.origin + '/profile');
  await expectSignedIn(second);
  expect(asked.all).toBe(2); // the first tab has told it

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(app.origin + '/');
  await expectSignedOut(page);
  await expectSignedOut(second);
  await second.reload();
  await expectSignedOut(second);
  expect(asked.all).toBe(2); // not after a sign-out
});

test('an app sends the token to its API alone, also when that leads elsewhere', async ({ keywright, start, page, api }) => {
  const elsewhere = await Api.start();
  elsewhere.refuses = () => false;
  const app = await start(BuiltApp, { id: 'api', flags: ['--trusted'], settings: { api: api.url } });
  await signedIn(page, keywright, app, '/api');
  await page.getByRole('button', { name: 'Call the API' }).click();
  await expect(page.getByText('Hello, number 1')).toBeVisible();
  api.elsewhere = elsewhere.url;
  await page.getByRole('button', { name: 'Call the API' }).click();
  await expect.poll(() => elsewhere.tokens).toStrictEqual([undefined]); // toEqual takes [] for it
  expect(api.tokens.map((token) => token?.split('.').length)).toEqual([3, 3]);
  await elsewhere.stop();
});

test('an app keeps no token where a script of tomorrow would find it', async ({ keywright, start, page, context, api }) => {
  const app = await start(BuiltApp, { id: 'kept', flags: ['--trusted'], settings: { api: api.url } });
  await signedIn(page, keywright, app, '/api');
  await call(page);
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state, document.cookie]));
  for (const token of api.tokens) expect(kept).not.toContain(token!);
  expect(kept).not.toMatch(/eyJ|kw_?rt|refresh_?token|verifier/i);
  expect((await context.cookies(app.origin)).filter(({ name }) => !name.startsWith('keywright-'))).toEqual([]); // the issuer's, of the same host
});

for (const [when, reloads] of [['at once', false], ['after a reload', true]] as const) {
  test(`whoever goes back ${when} to where they signed in is still signed in`, async ({ keywright, start, context, page }) => {
    const app = await start(BuiltApp, { id: `back-${reloads}`, flags: ['--trusted'] });
    await signedIn(page, keywright, app);
    if (reloads) await page.reload();
    await expectSignedIn(page);
    const asked = countQuestions(context);
    await page.goBack(); // to the issuer's page, which leads here again, with an answer that is not waited for
    await page.waitForURL(app.origin + '/profile');
    await expectSignedIn(page);
    await expect(page.getByRole('alert')).toBeEmpty();
    expect(asked).toEqual({ all: 2, silent: 1 });
  });
}

test('ten tabs with a five-second token refresh once for each time it expires', async ({ keywright, start, context, page, api }) => {
  const seconds = Number(process.env.E2E_TABS_SECONDS ?? 15);
  test.setTimeout((60 + seconds) * 1000);
  const id = 'ten-tabs';
  const app = await start(BuiltApp, { id, flags: ['--trusted', '--access-token-ttl', '5s'], settings: { api: api.url } });
  await signedIn(page, keywright, app, '/api');
  const tabs = [page];
  while (tabs.length < 10) {
    const tab = await context.newPage();
    await tab.goto(app.origin + '/api');
    await expectSignedIn(tab);
    tabs.push(tab);
  }
  const before = keywright.answered('/token', id);
  const began = Date.now();
  while (Date.now() - began < seconds * 1000) await Promise.all(tabs.map(call));
  const refreshes = keywright.answered('/token', id) - before;
  const lifetimes = (Date.now() - began) / 1000 / 4; // a fifth of it before its end, at the earliest
  console.log(`${api.tokens.length} calls of ten tabs, ${refreshes} refreshes in ${lifetimes.toFixed(1)} lifetimes`);
  expect(refreshes).toBeGreaterThan(lifetimes / 2);
  expect(refreshes).toBeLessThanOrEqual(Math.ceil(lifetimes));
  expect(new Set(api.tokens).size).toBeLessThanOrEqual(refreshes + 2);
  for (const tab of tabs) await expectSignedIn(tab);
});

test.describe('what goes wrong', () => {
  test.use({ provoked: /status of (400|401)|net::ERR_(FAILED|CONNECTION_REFUSED)/ });

  test('a refresh whose answer is lost is made again, and nobody notices', async ({ keywright, start, page, api }) => {
    const id = 'lost';
    const app = await start(BuiltApp, { id, flags: ['--trusted'], settings: { api: api.url } });
    await signedIn(page, keywright, app, '/api');
    let lost = 0;
    await page.route('**/token', async (route) => {
      if (lost++ > 0) return route.continue();
      await route.fetch(); // the issuer has rotated the refresh token
      await route.abort();
    });
    let refused: string | undefined;
    api.refuses = (token) => (refused ??= token) === token;
    await page.getByRole('button', { name: 'Call the API' }).click();
    await expect(page.getByText('Hello, number 2')).toBeVisible();
    expect(lost).toBe(2);
    await expectSignedIn(page);
  });

  test('a refresh whose answer is lost for good ends the session, says so, and keeps the work', async ({ serve, start, page, api }) => {
    const keywright = await serve({ KEYWRIGHT_REFRESH_GRACE: '0s' });
    const app = await start(BuiltApp, { id: 'lost', flags: ['--trusted'], settings: { api: api.url } }, keywright);
    await signedIn(page, keywright, app, '/api?draft=1');
    await page.route('**/token', async (route) => {
      await route.fetch();
      await route.abort();
    }, { times: 1 });
    api.refuses = () => true;
    await page.getByRole('button', { name: 'Call the API' }).click();
    await expectError(page, 'session-ended');
    await expect(page.getByRole('heading', { name: 'The API' })).toBeVisible();
    expect(page.url()).toBe(app.origin + '/api?draft=1');
  });

  test('a refusal of the person is a state, and no loop', async ({ keywright, start, context, page }) => {
    const app = await start(BuiltApp, { id: 'no' });
    const person = await keywright.register(newPerson());
    const asked = countQuestions(context);
    await page.goto(app.origin + '/profile');
    await signIn(page, person);
    await page.getByRole('button', { name: 'Do not allow' }).click();
    await expectError(page, 'sign-in-refused');
    await expectSignedOut(page);
    expect(page.url()).toBe(app.origin + '/?returnTo=%2Fprofile');
    expect(asked.all).toBe(1);
    await page.getByRole('banner').getByRole('link', { name: 'Sign in' }).click(); // to try again is up to the person
    await page.getByRole('button', { name: 'Continue to Keywright' }).click();
    await allow(page);
    await page.waitForURL(app.origin + '/profile');
    await expectSignedIn(page);
  });

  test('an answer to another question, or of another issuer, is not believed', async ({ keywright, start, page }) => {
    const app = await start(BuiltApp, { id: 'foreign', flags: ['--trusted'] });
    const redeemed: string[] = [];
    page.on('request', (request) => new URL(request.url()).pathname === '/token' && redeemed.push(request.url()));
    await page.goto(`${app.origin}/callback?code=theirs&state=theirs&iss=${encodeURIComponent(keywright.issuer)}`);
    await expectError(page, 'state-mismatch');
    expect(page.url()).toBe(app.origin + '/');
    await expectSignedOut(page);

    app.instead = ({ pathname, searchParams: answer }) => {
      if (!answer.get('iss')?.startsWith(keywright.issuer)) return undefined;
      answer.set('iss', 'https://evil.example.com');
      return { status: 302, headers: { Location: `${pathname}?${answer}` } };
    };
    const person = await keywright.register(newPerson());
    await page.goto(app.origin + '/profile');
    await signIn(page, person);
    await expectError(page, 'issuer-mismatch');
    await expectSignedOut(page);
    expect(redeemed).toEqual([]);
  });

  test('a token answer that somebody changed on its way is not believed', async ({ keywright, start, page }) => {
    const app = await start(BuiltApp, { id: 'changed', flags: ['--trusted'] });
    await page.route('**/token', async (route) => {
      const response = await route.fetch();
      const answer = await response.json();
      const [header, , signature] = answer.id_token.split('.');
      const claims = JSON.parse(Buffer.from(answer.id_token.split('.')[1], 'base64url').toString());
      const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'usr_eve' })).toString('base64url');
      await route.fulfill({ response, json: { ...answer, id_token: [header, changed, signature].join('.') } });
    });
    const person = await keywright.register(newPerson());
    await page.goto(app.origin + '/profile');
    await signIn(page, person);
    await expectError(page, 'id-token-invalid');
    await expectSignedOut(page);
  });

  test('a wrong issuer, and one that is down, are said', async ({ keywright, start, context, page }) => {
    const app = await start(BuiltApp, { id: 'wrong', settings: { issuer: keywright.issuer.replace('localhost', '127.0.0.1') } });
    const asked = countQuestions(context);
    await page.goto(app.origin + '/profile');
    await expectError(page, 'issuer-mismatch');
    app.settings = { ...app.settings, issuer: app.origin };
    await page.goto(app.origin + '/profile');
    await expectError(page, 'issuer-invalid');
    const closed = await Api.start();
    const { url } = closed;
    await closed.stop();
    app.settings = { ...app.settings, issuer: url };
    await page.goto(app.origin + '/profile');
    await expectError(page, 'issuer-unreachable');
    expect(asked.all).toBe(0);
    app.settings = { ...app.settings, issuer: keywright.issuer };
    await page.goto(app.origin + '/profile');
    await expect(page.getByRole('heading', { name: 'Sign in to wrong' })).toBeVisible();
  });

  test('a duplicated tab is signed in like the first, and asks nobody', async ({ keywright, start, context, page, api }) => {
    const app = await start(BuiltApp, { id: 'duplicated', flags: ['--trusted'], settings: { api: api.url } });
    await signedIn(page, keywright, app, '/api');
    const asked = countQuestions(context);
    const opened = context.waitForEvent('page');
    await page.evaluate(() => window.open(location.href)); // with a copy of sessionStorage
    const second = await opened;
    await expectSignedIn(second);
    await call(second);
    await call(page);
    expect(new Set(api.tokens).size).toBe(1);
    expect(asked.all).toBe(0);
  });

  test('a laptop that slept past the end of its token goes on', async ({ keywright, start, context, page, api }) => {
    const app = await start(BuiltApp, { id: 'slept', flags: ['--trusted'], settings: { api: api.url } });
    await page.clock.install();
    await signedIn(page, keywright, app, '/api');
    const asked = countQuestions(context);
    await call(page);
    await page.clock.fastForward('01:00:00');
    await call(page);
    expect(new Set(api.tokens).size).toBe(2);
    expect(asked.all).toBe(0);
    await expectSignedIn(page);
  });

  for (const minutes of [-10, 10]) {
    test(`a clock that is off by ${minutes} minutes changes nothing`, async ({ keywright, start, page, api }) => {
      const id = `clock${minutes}`;
      const app = await start(BuiltApp, { id, flags: ['--trusted'], settings: { api: api.url } });
      await page.clock.setSystemTime(Date.now() + minutes * 60_000);
      await signedIn(page, keywright, app, '/api');
      await call(page);
      await call(page);
      expect(new Set(api.tokens).size).toBe(1);
      expect(keywright.answered('/token', id)).toBe(1);
    });
  }

  test('a browser that keeps nothing for the page says so, and asks nobody', async ({ start, context, page }) => {
    const app = await start(BuiltApp, { id: 'forbidden' });
    const asked = countQuestions(context);
    await context.addInitScript(() => {
      for (const kind of ['localStorage', 'sessionStorage']) {
        Object.defineProperty(window, kind, { get: () => { throw new DOMException('denied', 'SecurityError'); } });
      }
    });
    await page.goto(app.origin + '/profile');
    await expectError(page, 'storage-forbidden');
    expect(asked.all).toBe(0);
  });
});

/** Chooses in the demo to sign in by its own form, with a stored refresh token. */
async function directly(page: Page, app: BuiltApp): Promise<void> {
  await page.goto(app.origin);
  await page.evaluate(() => localStorage.setItem('keywright-demo:way', 'direct'));
}

test('direct sign-in stays over a reload, in two tabs, and ends in both', async ({ serve, start, context, page, host, api }) => {
  const port = await freePort();
  const keywright = await serve({ KEYWRIGHT_DIRECT_ORIGINS: `http://${host}:${port}` });
  const app = await start(BuiltApp, { id: 'direct-tabs', port, settings: { api: api.url } }, keywright);
  const person = await keywright.register(newPerson());
  await directly(page, app);
  await page.goto(app.origin + '/api?note=7');
  await signIn(page, person);
  await page.waitForURL(app.origin + '/api?note=7');
  const second = await context.newPage();
  await second.goto(app.origin + '/api');
  await expectSignedIn(second);
  for (let i = 0; i < 3; i++) {
    await Promise.all([page.reload(), second.reload()]); // nobody is left to tell: one refreshes, and tells the other
    await Promise.all([expectSignedIn(page), expectSignedIn(second)]);
  }
  await Promise.all([call(page), call(second)]);
  expect(api.tokens[0]).toBe(api.tokens[1]);
  await second.getByRole('button', { name: 'Sign out' }).click();
  await expectSignedOut(page);
  await page.reload();
  await expectSignedOut(page);
  await expect(page.getByRole('alert')).toBeEmpty();
});
