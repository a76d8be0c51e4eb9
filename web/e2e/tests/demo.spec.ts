import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { Api } from '../apps/api.ts';
import { BuiltApp } from '../apps/built.ts';
import { ExampleApi } from '../exampleapi.ts';
import { schemes, windows } from '../gallery.ts';
import { newPerson, type Person } from '../keywright.ts';
import { signIn, tabTo } from '../person.ts';
import { expect, test as base } from '../test.ts';

type Way = 'redirect' | 'direct';

/** Opens the demo for somebody who has chosen a way of signing in. */
type Open = (way: Way, settings?: Record<string, unknown>) => Promise<BuiltApp>;

let opened = 0;

const test = base.extend<{ api: ExampleApi; open: Open }>({
  api: async ({ keywright }, use) => {
    const api = await ExampleApi.start(keywright.issuer);
    await use(api);
    await api.stop();
  },
  open: async ({ page, start }, use) => {
    await use(async (way, settings = {}) => {
      const app = await start(BuiltApp, { id: `demo-${++opened}`, flags: ['--trusted'], settings });
      await page.goto(app.origin);
      if (way === 'direct') await page.getByRole('button', { name: 'Use this app’s form' }).click();
      await expect(page.getByRole('listitem').filter({ hasText: 'In use' })).toContainText(way === 'direct' ? 'withDirectSignIn' : 'withRedirect');
      return app;
    });
  },
});

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true });

/** What a list of claims says of one of them. */
const claim = (page: Page, name: string) => page.locator('dl > div').filter({ has: page.getByText(name, { exact: true }) }).getByRole('definition');

async function register(page: Page, person: Person): Promise<void> {
  await page.getByLabel('Your name').fill(person.name);
  await page.getByLabel('Email address').fill(person.email);
  await page.getByLabel('Password').fill(person.password);
  await page.getByRole('button', { name: 'Create account' }).click();
}

/** Signs in from the start page. */
async function signInBy(way: Way, page: Page, person: Person): Promise<void> {
  await page.getByRole('banner').getByRole('link', { name: 'Sign in' }).click();
  if (way === 'redirect') await page.getByRole('button', { name: 'Continue to Keywright' }).click();
  await signIn(page, person);
  await expect(heading(page, 'Your profile')).toBeVisible();
}

test('a visitor registers at the issuer, signs in, is known after a reload, and signs out', { tag: '@sites' }, async ({ open, page }) => {
  const app = await open('redirect');
  const person = newPerson();
  await page.getByRole('link', { name: 'Create an account' }).click();
  await page.getByRole('button', { name: 'Continue to Keywright' }).click();
  await register(page, person);
  await page.getByLabel('Password').fill(person.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(app.origin + '/profile');
  await expect(page.getByRole('definition').filter({ hasText: person.email }).first()).toBeVisible();
  await expect(page.getByText('email_verified')).toBeVisible();
  await page.reload();
  await expect(page.getByRole('banner')).toContainText(person.name);
  await expect(heading(page, 'Your profile')).toBeVisible();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(app.origin + '/');
  await expect(page.getByRole('banner').getByRole('link', { name: 'Sign in' })).toBeVisible();
});

test('a visitor registers in the app, signs in, is known after a reload, and signs out', async ({ open, page }) => {
  const app = await open('direct');
  const person = newPerson();
  await page.getByRole('link', { name: 'Create an account' }).click();
  await register(page, person);
  await expect(page.getByRole('status')).toHaveText('Almost there: sign in with your new password.');
  await expect(page.getByLabel('Email address')).toHaveValue(person.email);
  await page.getByLabel('Password').fill(person.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(app.origin + '/profile');
  await expect(page.getByRole('definition').filter({ hasText: person.email })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('banner')).toContainText(person.name);
  await expect(heading(page, 'Your profile')).toBeVisible();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(app.origin + '/');
  await page.goto(app.origin + '/profile');
  await page.waitForURL(app.origin + '/login?returnTo=%2Fprofile');
});

for (const way of ['redirect', 'direct'] as const) {
  test.describe(`signed in by ${way}`, () => {
    test('the API on another origin greets whoever asks', async ({ keywright, open, page, api }) => {
      const person = await keywright.register(newPerson());
      await open(way, { api: api.url });
      await signInBy(way, page, person);
      await page.getByRole('link', { name: 'API', exact: true }).click();
      await page.getByRole('button', { name: 'Call the API' }).click();
      await expect(page.getByRole('status')).toContainText('Hello, usr_');
      await expect(page.getByRole('status')).toContainText('openid profile email');
    });

    test('the tokens are shown, and their time runs', async ({ keywright, open, page }) => {
      await page.clock.install();
      const person = await keywright.register(newPerson());
      const app = await open(way, { api: 'http://localhost:1/' });
      await signInBy(way, page, person);
      await page.getByRole('link', { name: 'Tokens' }).click();
      const timer = page.getByRole('timer');
      await expect(timer).toHaveText(/^(10:00|9:5\d)$/);
      await page.clock.runFor(60_000);
      await expect(timer).toHaveText(/^(9:00|8:5\d)$/);
      const token = page.getByText(/^eyJ[\w-]+….{8}$/);
      const first = await token.textContent();
      await expect(claim(page, 'typ')).toHaveText('at+jwt');
      await expect(claim(page, 'iss').first()).toHaveText(keywright.issuer);
      await expect(claim(page, 'exp').first()).toHaveText(/^\d{10} \(\d+\/\d+\/\d{4}, \d+:\d\d:\d\d.*\)$/);
      await expect(claim(page, 'nonce')).toHaveCount(way === 'redirect' ? 1 : 0);
      await page.clock.runFor(10 * 60_000);
      await expect(page.getByText('It has expired')).toBeVisible();
      await page.getByRole('button', { name: 'Show the next request’s token' }).click();
      await expect(token).not.toHaveText(first!);
      expect(page.url()).toBe(app.origin + '/tokens');
    });

    test('whoever signs out in one tab is signed out in the other, which shows the start page', async ({ keywright, open, page, context }) => {
      const person = await keywright.register(newPerson());
      const app = await open(way);
      await signInBy(way, page, person);
      const second = await context.newPage();
      await second.goto(app.origin + '/profile');
      await second.getByRole('button', { name: 'Sign out' }).click();
      await expect(heading(page, 'Sign-in for an Angular app')).toBeVisible();
      await expect(page.getByRole('alert')).toBeEmpty();
    });

    test('the widget of the library signs in', async ({ keywright, open, page }) => {
      const person = await keywright.register(newPerson());
      const app = await open(way);
      await page.getByRole('link', { name: 'the widget' }).click();
      const widget = page.locator('keywright-sign-in');
      if (way === 'redirect') await widget.getByRole('button').click();
      await page.getByLabel('Email address').fill(person.email);
      await page.getByLabel('Password', { exact: true }).fill(person.password);
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await page.waitForURL(app.origin + '/profile');
    });
  });
}

for (const way of ['redirect', 'direct'] as const) {
  test.describe(`whoever is stopped by the guard and signs in by ${way}`, () => {
    for (const [returnTo, path] of [['/tokens', '/tokens'], ['/login', '/profile'], ['/register', '/profile'], ['//evil.example', '/profile'], ['/\\evil.example', '/profile']]) {
      test(`goes on from ${returnTo} to ${path}`, async ({ keywright, open, page }) => {
        const person = await keywright.register(newPerson());
        const app = await open(way);
        await page.goto(`${app.origin}/register?returnTo=${encodeURIComponent(returnTo)}`);
        await page.getByRole('banner').getByRole('link', { name: 'Sign in' }).click();
        await expect(heading(page, way === 'direct' ? 'Sign in' : 'Sign in at Keywright')).toBeVisible();
        if (way === 'redirect') await page.getByRole('button', { name: 'Continue to Keywright' }).click();
        await signIn(page, person);
        await page.waitForURL(app.origin + path);
        await expect(heading(page, path === '/tokens' ? 'Your tokens' : 'Your profile')).toBeVisible();
      });
    }

    for (const minutes of [-11, 11]) {
      test(`sees the time of a token run by no clock of this device, which is ${minutes} minutes off`, async ({ keywright, open, page }) => {
        await page.addInitScript((off) => {
          const { now } = Date;
          Date.now = () => now() + off;
        }, minutes * 60_000);
        const person = await keywright.register(newPerson());
        await open(way, { api: 'http://localhost:1/' });
        await signInBy(way, page, person);
        for (const _ of ['signed in', 'loaded again']) {
          await page.getByRole('link', { name: 'Tokens' }).click();
          await expect(page.getByRole('timer')).toHaveText(/^(10:00|9:5\d)$/);
          await page.reload();
        }
      });
    }
  });
}

test('a form that is submitted twice is sent once', async ({ keywright, open, page }) => {
  const person = await keywright.register(newPerson());
  await open('direct');
  await page.getByRole('banner').getByRole('link', { name: 'Sign in' }).click();
  const sent: string[] = [];
  page.on('request', (request) => request.method() === 'POST' && sent.push(new URL(request.url()).pathname));
  await page.getByLabel('Email address').fill(person.email);
  await page.getByLabel('Password').fill(person.password);
  await page.locator('form').evaluate((form: HTMLFormElement) => {
    form.requestSubmit();
    form.requestSubmit();
  });
  await expect(heading(page, 'Your profile')).toBeVisible();
  expect(sent).toEqual(['/login']);
});

/** Expects that a second failure, which says what the first one said, is heard as well: its element is a new one. */
async function expectToldAnew(alert: Locator, button: Locator): Promise<void> {
  const told = (await alert.locator('.alert').elementHandle())!;
  await button.click();
  await expect.poll(() => told.evaluate((element) => element.isConnected)).toBe(false);
  await expect(alert).toBeVisible();
}

test.describe('what a form cannot do', () => {
  test.use({ provoked: /status of (400|401|403|429)|ERR_(CONNECTION_REFUSED|INTERNET_DISCONNECTED)/ });

  test('a wrong password is said each time, and the right one is taken', async ({ keywright, open, page }) => {
    const person = await keywright.register(newPerson());
    await open('direct');
    await page.getByRole('banner').getByRole('link', { name: 'Sign in' }).click();
    const wrong = page.getByRole('alert').filter({ hasText: 'The email address or the password is not right.' });
    await signIn(page, { ...person, password: 'not this one' });
    await expect(wrong).toBeVisible();
    await expect(page.getByLabel('Password')).toBeFocused();
    await page.keyboard.type('nor this');
    await expect(page.getByLabel('Password')).toHaveValue('nor this');
    await expectToldAnew(wrong, page.getByRole('button', { name: 'Sign in' }));
    await page.getByRole('link', { name: 'Create an account' }).click();
    await expect(wrong).toBeHidden();
    await page.getByRole('main').getByRole('link', { name: 'Sign in' }).click();
    await signIn(page, person);
    await expect(heading(page, 'Your profile')).toBeVisible();
  });

  test('what is wrong in a field is said beside it', async ({ open, page }) => {
    await open('direct');
    await page.getByRole('link', { name: 'Create an account' }).click();
    await page.getByRole('button', { name: 'Create account' }).click();
    await expect(page.getByLabel('Your name')).toBeFocused();
    await expect(page.getByLabel('Your name')).toHaveAccessibleDescription('Please fill out this field.');
    await expect(page.getByLabel('Email address')).toHaveAccessibleDescription('Please fill out this field.');
    await register(page, { name: 'Ada', email: 'ada', password: 'short' });
    await expect(page.getByLabel('Email address')).toHaveAccessibleDescription(/Please include an '@' in the email address/);
    await expect(page.getByLabel('Password')).toHaveAccessibleDescription(/Please lengthen this text to 8 characters or more/);
    const person = newPerson();
    await register(page, { ...person, password: 'password1' });
    await expect(page.getByLabel('Password')).toHaveAccessibleDescription('This password is among the first that attackers try. Choose another one.');
    await expect(page.getByLabel('Password')).toBeFocused();
    await register(page, person);
    await expect(heading(page, 'Sign in')).toBeVisible();
  });

  test('too many attempts, and how long to wait', async ({ page, open, serve }) => {
    const keywright = await serve({ KEYWRIGHT_THROTTLE: 'account=1,address=100,window=15m' });
    const app = await open('direct');
    app.settings = { ...app.settings, issuer: keywright.issuer };
    await page.goto(app.origin + '/login');
    await signIn(page, newPerson());
    await expect(page.getByRole('alert').filter({ hasText: 'not right' })).toBeVisible();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('alert').filter({ hasText: /too many attempts\.\s+Try again in 15 minutes\./ })).toBeVisible();
    await keywright.stop();
    await page.getByRole('button', { name: 'Sign in' }).click();
    const outage = page.getByRole('alert').filter({ hasText: 'The sign-in server does not answer.' });
    await expect(outage).toBeVisible();
    await expectToldAnew(outage, page.getByRole('button', { name: 'Sign in' }));
  });

  test('registration is closed', async ({ page, open, serve }) => {
    const keywright = await serve({ KEYWRIGHT_SIGN_UP: 'closed' });
    const app = await open('direct');
    app.settings = { ...app.settings, issuer: keywright.issuer };
    await page.goto(app.origin + '/register');
    await register(page, newPerson());
    await expect(page.getByRole('alert').filter({ hasText: 'Nobody can create an account here at the moment.' })).toBeVisible();
  });

  test('an API that does not answer, and one that is not known', async ({ keywright, open, page }) => {
    const person = await keywright.register(newPerson());
    const api = await Api.start();
    const { url } = api;
    await api.stop();
    const app = await open('direct', { api: url });
    await signInBy('direct', page, person);
    await page.getByRole('link', { name: 'API', exact: true }).click();
    await page.getByRole('button', { name: 'Call the API' }).click();
    await expect(page.getByRole('status')).toHaveText('The API does not answer. Is it running?');
    delete app.settings.api;
    await page.reload();
    const advice = page.getByText(/No API is configured.+--api-url/);
    await expect(advice).toBeVisible();
    await page.getByRole('link', { name: 'Tokens' }).click();
    await expect(heading(page, 'Your tokens')).toBeVisible();
    await expect(advice).toBeVisible();
  });
});

test.describe('what the app cannot do without', () => {
  test.use({ provoked: /status of 404|ERR_(FAILED|INTERNET_DISCONNECTED)|dynamically imported module/ });

  test('a page that does not load is said, until another one is shown', async ({ open, page, context }) => {
    await open('direct');
    await context.setOffline(true);
    await page.getByRole('banner').getByRole('link', { name: 'Sign in' }).click();
    const said = page.getByRole('alert').filter({ hasText: 'That page did not load.' });
    await expect(said).toBeVisible();
    await context.setOffline(false);
    await page.getByRole('link', { name: 'Create an account' }).click();
    await expect(heading(page, 'Create an account')).toBeVisible();
    await expect(said).toBeHidden();
  });

  for (const built of ['demo', 'second']) {
    test(`without its settings the ${built} app says that it was not started`, async ({ start, page }) => {
      const app = await start(BuiltApp, { app: built, id: `unset-${built}`, flags: ['--trusted'] });
      app.instead = (url) => (url.pathname === '/keywright.json' ? { status: 404 } : undefined);
      await page.goto(app.origin);
      await expect(page.getByRole('alert')).toContainText('This app could not be started. Please reload the page.');
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    });

    test(`without JavaScript the ${built} app says that it needs it`, async ({ start, browser }) => {
      const app = await start(BuiltApp, { app: built, id: `script-${built}`, flags: ['--trusted'] });
      const page = await browser.newPage({ javaScriptEnabled: false });
      await page.goto(app.origin);
      await expect(page.getByRole('main')).toHaveText('This app needs JavaScript.');
      await page.close();
    });
  }

  test('where the browser keeps nothing, the way of signing in lasts for the tab', async ({ open, page }) => {
    await page.addInitScript(() => {
      Object.defineProperty(window, 'localStorage', { get: () => { throw new DOMException('not allowed', 'SecurityError'); } });
    });
    await open('direct');
  });

  test('only the widget says that a person is offline, where there is one', async ({ open, page, context }) => {
    await open('direct');
    await page.getByRole('link', { name: 'the widget' }).click();
    await page.getByLabel('Email address').fill('ada@example.com');
    await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
    await context.setOffline(true);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    const alerts = page.getByRole('alert').filter({ hasText: /./ });
    await expect(alerts).toHaveCount(1);
    await expect(page.locator('keywright-sign-in')).toContainText(await alerts.innerText());
    await context.setOffline(false);
  });

  test('the second app says that the sign-in server does not answer', async ({ start, page }) => {
    const app = await start(BuiltApp, { app: 'second', id: 'second-alone', flags: ['--trusted'] });
    await page.route(`${app.settings.issuer}/**`, (route) => route.abort());
    await page.goto(app.origin);
    await expect(page.getByRole('alert')).toContainText('The sign-in server does not answer.');
  });
});

test('the page of the widget says how to see its form, and whoever is signed in is led to none', async ({ keywright, open, page }) => {
  const person = await keywright.register(newPerson());
  await open('redirect');
  await page.getByRole('link', { name: 'the widget' }).click();
  await expect(page.getByRole('main')).toContainText('To see its form, choose “In this app” on the start page.');
  await signInBy('redirect', page, person);
  await page.getByRole('link', { name: 'Keywright demo' }).click();
  await expect(page.getByRole('link', { name: 'your tokens' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'the widget' })).toBeHidden();
});

test('an API may answer any JSON', async ({ keywright, open, page }) => {
  const person = await keywright.register(newPerson());
  await open('direct', { api: keywright.issuer + '/profile' });
  await signInBy('direct', page, person);
  await page.getByRole('link', { name: 'API', exact: true }).click();
  const call = page.getByRole('button', { name: 'Call the API' });
  await call.click();
  await expect(claim(page, 'email')).toHaveText(person.email);
  for (const [answer, text] of [['null', 'null'], ['"Hello"', 'Hello'], ['[{"a":1}]', '{"a":1}']]) {
    await page.route(keywright.issuer + '/profile', (route) => route.fulfill({ body: answer, headers: { 'Access-Control-Allow-Origin': '*' } }));
    await call.click();
    await expect(page.getByRole('definition')).toHaveText([text]);
  }
});

test('a long name leaves the header as high as it was', async ({ keywright, open, page }) => {
  const person = await keywright.register(newPerson('Wolfeschlegelsteinhausenbergerdorff '.repeat(4)));
  await open('redirect');
  const header = page.getByRole('banner');
  const { height } = (await header.boundingBox())!;
  await signInBy('redirect', page, person);
  await expect(header).toContainText('Wolfe');
  expect((await header.boundingBox())!.height).toBe(height);
});

test('the second app greets whoever is signed in at the demo, and signs out of both', { tag: '@sites' }, async ({ keywright, open, start, page, context }) => {
  const person = await keywright.register(newPerson());
  const demo = await open('redirect');
  const other = await start(BuiltApp, { app: 'second', id: 'second', flags: ['--trusted'], settings: { other: demo.origin + '/' } });
  const second = await context.newPage();
  await second.goto(other.origin);
  await expect(heading(second, 'Nobody is signed in')).toBeVisible();
  await signInBy('redirect', page, person);
  await second.reload();
  await expect(heading(second, 'Hello, ' + person.name)).toBeVisible();
  await second.getByRole('button', { name: 'Sign out' }).click();
  await expect(heading(second, 'Nobody is signed in')).toBeVisible();
  await page.reload();
  await expect(page.getByLabel('Email address')).toBeVisible(); // at the issuer, whose session is over
  await second.getByRole('link', { name: 'Back to the demo' }).click();
  await expect(second.getByRole('banner').getByRole('link', { name: 'Sign in' })).toBeVisible();
});

test('a keyboard is enough to register, sign in, look around and sign out', async ({ open, page }) => {
  await open('direct');
  const person = newPerson();
  await tabTo(page.getByRole('button', { name: 'Skip to the content' }));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('main')).toBeFocused();
  await tabTo(page.getByRole('link', { name: 'Create an account' }));
  await page.keyboard.press('Enter');
  await expect(heading(page, 'Create an account')).toBeFocused();
  await expect(page).toHaveTitle('Create an account – Keywright demo');
  for (const text of [person.name, person.email, person.password]) {
    await page.keyboard.press('Tab');
    await page.keyboard.type(text);
  }
  await page.keyboard.press('Enter');
  await expect(heading(page, 'Sign in')).toBeVisible();
  await expect(page.getByLabel('Password')).toBeFocused();
  await page.keyboard.type(person.password);
  await page.keyboard.press('Enter');
  await expect(heading(page, 'Your profile')).toBeFocused();
  await expect(page.getByRole('link', { name: 'Profile' })).toHaveAttribute('aria-current', 'page');
  await page.keyboard.press('Shift+Tab');
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(heading(page, 'Sign-in for an Angular app')).toBeFocused();
});

/** Leads through every page and state of the demo, and has a look at each. */
async function* tour(way: Way, page: Page, app: BuiltApp, person: Person): AsyncGenerator<string> {
  const follow = (name: string) => page.getByRole('link', { name, exact: true }).first().click();
  yield 'start';
  await follow('Create an account');
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
  await expect(heading(page, way === 'direct' ? 'Create an account' : 'Create an account at Keywright')).toBeVisible();
  yield 'register';
  if (way === 'direct') {
    await page.getByRole('button', { name: 'Create account' }).click();
    yield 'register, empty';
  }
  await page.goto(app.origin + '/widget');
  await expect(page.locator('keywright-sign-in').getByRole('button').first()).toBeVisible();
  yield 'widget';
  await page.goto(app.origin + '/nowhere');
  await expect(heading(page, 'There is no such page')).toBeVisible();
  yield 'not found';
  await follow('Sign in');
  await expect(heading(page, way === 'direct' ? 'Sign in' : 'Sign in at Keywright')).toBeVisible();
  yield 'login';
  if (way === 'direct') {
    await signIn(page, { ...person, password: 'wrong' });
    await page.getByText('For developers').click();
    yield 'login, refused';
  }
  if (way === 'redirect') {
    await page.goto(`${app.origin}/callback?state=theirs&code=theirs`);
    await expect(page.getByRole('alert')).toContainText('That did not work. Please sign in again.');
    yield 'a sign-in that failed';
  }
  await page.goto(app.origin);
  await signInBy(way, page, person);
  yield 'profile';
  await follow('API');
  await page.getByRole('button', { name: 'Call the API' }).click();
  await expect(page.getByRole('status')).toContainText('Hello');
  yield 'API, called';
  await follow('Tokens');
  await expect(page.getByRole('timer')).toBeVisible();
  yield 'tokens';
  await follow('Keywright demo');
  await expect(heading(page, 'Sign-in for an Angular app')).toBeVisible();
  yield 'start, signed in';
}

for (const colorScheme of schemes) {
  for (const [window, viewport] of Object.entries(windows)) {
    test.describe(`${colorScheme}, ${window}`, () => {
      test.use({ colorScheme, viewport, provoked: /status of 401/ });

      for (const way of ['redirect', 'direct'] as const) {
        test(`axe finds nothing on any page with ${way}, and none is wider than its window`, async ({ keywright, open, page, api }) => {
          const app = await open(way, { api: api.url, other: 'http://localhost:4300/' });
          const person = await keywright.register(newPerson());
          for await (const state of tour(way, page, app, person)) await inspect(page, state);
        });
      }

      test('axe finds nothing on the second app, and it is no wider than its window', async ({ keywright, start, page }) => {
        const settings = { other: 'http://localhost:4200/' };
        const app = await start(BuiltApp, { app: 'second', id: `second-${colorScheme}-${window}`, flags: ['--trusted'], settings });
        const person = await keywright.register(newPerson());
        await page.goto(app.origin);
        await expect(heading(page, 'Nobody is signed in')).toBeVisible();
        await inspect(page, 'second');
        await page.getByRole('button', { name: 'Sign in' }).click();
        await signIn(page, person);
        await expect(heading(page, 'Hello, ' + person.name)).toBeVisible();
        await inspect(page, 'second, signed in');
      });
    });
  }
}

async function inspect(page: Page, state: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect.soft(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`), state).toEqual([]);
  expect.soft(await page.evaluate(() => document.documentElement.scrollWidth), state).toBeLessThanOrEqual(page.viewportSize()!.width);
  expect.soft(await smallTargets(page), state).toEqual([]);
}

/** Names what is hard to hit: links within text need no 44 pixels. */
async function smallTargets(page: Page): Promise<string[]> {
  return page.locator('button:not(.link), .button, nav a, summary, input').evaluateAll((targets) =>
    targets.filter((target) => target.checkVisibility() && target.getBoundingClientRect().height < 44).map((target) => target.outerHTML));
}
