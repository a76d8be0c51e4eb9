import type { Page } from '@playwright/test';
import { BuiltApp } from '../apps/built.ts';
import { ExampleApi } from '../exampleapi.ts';
import { schemes, windows } from '../gallery.ts';
import { newPerson, type Person } from '../keywright.ts';
import { signIn } from '../person.ts';
import { expect, test } from '../test.ts';
import { type Picture, writeContactSheet } from './contactsheet.ts';

/** Where pictures are taken, and of whom. */
interface Scene {
  page: Page;
  demo: BuiltApp;
  second: BuiltApp;
  person: Person;
}

/** What a picture shows, when it is ready to be taken. */
type Pictures = AsyncGenerator<string>;

async function open(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
}

async function click(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
}

async function* everything(scene: Scene): Pictures {
  yield* second(scene, 'Nobody is signed in');
  for await (const state of byRedirect(scene)) yield `redirect: ${state}`;
  yield* second(scene, 'Hello, Ada Lovelace');
  for await (const state of directly(scene)) yield `direct: ${state}`;
}

async function* byRedirect({ page, demo, person }: Scene): Pictures {
  await open(page, demo.origin);
  yield 'start';
  await open(page, demo.origin + '/login');
  yield 'login';
  await open(page, demo.origin + '/register');
  yield 'register';
  await open(page, demo.origin + '/widget');
  await expect(page.locator('keywright-sign-in').getByRole('button')).toBeVisible();
  yield 'widget';
  await open(page, demo.origin + '/nowhere');
  yield 'not found';
  await open(page, demo.origin + '/callback?state=theirs&code=theirs');
  await page.getByText('For developers').click();
  yield 'a sign-in that failed';
  await page.goto(demo.origin + '/profile');
  await signIn(page, person);
  yield* signedIn(page);
}

async function* directly({ page, demo, person }: Scene): Pictures {
  await open(page, demo.origin);
  await click(page, 'Use this app’s form');
  await expect(page.getByRole('listitem').filter({ hasText: 'In use' })).toContainText('withDirectSignIn');
  yield 'start';
  yield* register(page, demo);
  yield* login(page, demo);
  yield* widget(page, demo);
  await page.goto(demo.origin + '/profile');
  await signIn(page, person);
  yield* signedIn(page);
}

async function* register(page: Page, demo: BuiltApp): Pictures {
  const person = newPerson();
  await open(page, demo.origin + '/register');
  yield 'register';
  await click(page, 'Create account');
  yield 'register, empty';
  await page.getByLabel('Your name').fill(person.name);
  await page.getByLabel('Email address').fill(person.email);
  await page.getByLabel('Password').fill('password1');
  await click(page, 'Create account');
  await expect(page.getByText('attackers')).toBeVisible();
  yield 'register, refused';
  await page.getByLabel('Password').fill(person.password);
  await click(page, 'Create account');
  await expect(page.getByRole('status')).toBeVisible();
  yield 'login, after register';
}

async function* login(page: Page, demo: BuiltApp): Pictures {
  await open(page, demo.origin + '/login');
  yield 'login';
  yield* failures(page, 'login');
}

async function* widget(page: Page, demo: BuiltApp): Pictures {
  await open(page, demo.origin + '/widget');
  await expect(page.getByLabel('Email address')).toBeVisible();
  yield 'widget';
  await click(page, 'Create an account');
  await expect(page.getByLabel('Name')).toBeVisible();
  yield 'widget, create an account';
  const person = newPerson();
  await page.getByLabel('Your name').fill(person.name);
  await page.getByLabel('Email address').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill('password1');
  await click(page, 'Show password');
  await click(page, 'Create account');
  await expect(page.getByText('attackers')).toBeVisible();
  yield 'widget, refused';
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await click(page, 'Create account');
  await expect(page.getByText('your account is ready')).toBeVisible();
  yield 'widget, account ready';
  await open(page, demo.origin + '/widget');
  yield* failures(page, 'widget');
}

/** Fails at a form that signs in, in every way. The server endures one wrong password of each account. */
async function* failures(page: Page, form: string): Pictures {
  const stranger = newPerson();
  await page.getByLabel('Email address').fill(stranger.email);
  for (const [state, text] of [['wrong password', 'not right'], ['offline', /does not answer|You are offline/], ['throttled', /too many/i]] as const) {
    await page.context().setOffline(state === 'offline');
    await page.getByLabel('Password', { exact: true }).fill(stranger.password);
    await click(page, 'Sign in');
    await expect(page.getByRole('alert').filter({ hasText: text })).toBeVisible();
    yield `${form}, ${state}`;
  }
  await page.context().setOffline(false);
}

async function* signedIn(page: Page): Pictures {
  await expect(page.getByRole('heading', { name: 'Your profile' })).toBeVisible();
  yield 'profile';
  await page.getByRole('link', { name: 'Tokens' }).click();
  await expect(page.getByRole('timer')).toBeVisible();
  yield 'tokens';
  await page.getByRole('link', { name: 'API', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'The API' })).toBeFocused();
  yield 'API';
  for (const [state, text] of [['called', 'Hello'], ['offline', 'does not answer']]) {
    await page.context().setOffline(state === 'offline');
    await click(page, 'Call the API');
    await expect(page.getByRole('status')).toContainText(text);
    yield `API, ${state}`;
  }
  await page.context().setOffline(false);
  await page.getByRole('link', { name: 'Keywright demo' }).click();
  await expect(page.getByRole('heading', { name: 'Sign-in for an Angular app' })).toBeFocused();
  yield 'start, signed in';
}

async function* second({ page, second }: Scene, heading: string): Pictures {
  await open(page, second.origin);
  await expect(page.getByRole('heading', { name: heading })).toBeVisible();
  yield `second: ${heading}`;
}

for (const colorScheme of schemes) {
  for (const [name, viewport] of Object.entries(windows)) {
    test.describe(() => {
      test.use({ colorScheme, viewport, provoked: /status of (400|401|403|429)|ERR_INTERNET_DISCONNECTED/ });

      test(`demo, ${name}, ${colorScheme}`, async ({ serve, start, page }) => {
        test.setTimeout(180_000);
        const keywright = await serve({ KEYWRIGHT_THROTTLE: 'account=1,address=100,window=15m' });
        const api = await ExampleApi.start(keywright.issuer);
        const second = await start(BuiltApp, { app: 'second', id: 'second', flags: ['--trusted'] }, keywright);
        const demo = await start(BuiltApp, { id: 'demo', flags: ['--trusted'], settings: { api: api.url, other: second.origin } }, keywright);
        second.settings.other = demo.origin;
        const person = await keywright.register(newPerson());
        const pictures: Picture[] = [];
        for await (const state of everything({ page, demo, second, person })) pictures.push([state, await page.screenshot({ fullPage: true })]);
        await writeContactSheet(page, `demo-${name}-${colorScheme}`, pictures);
        await api.stop();
      });
    });
  }
}
