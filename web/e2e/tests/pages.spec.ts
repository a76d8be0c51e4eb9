import { StaticApp } from '../apps/static.ts';
import { WebApp } from '../apps/web.ts';
import { newPerson } from '../keywright.ts';
import { allow, expectStatus, signIn, tabTo } from '../person.ts';
import { expect, test } from '../test.ts';

test('the keyboard alone signs in, allows and signs out', async ({ keywright, start, page }) => {
  const app = await start(StaticApp, { id: 'keyboard' });
  const person = await keywright.register(newPerson());
  await page.goto(app.origin);
  await tabTo(page.locator('#sign-in'));
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Email address')).toBeFocused();
  await page.keyboard.type(person.email);
  await page.keyboard.press('Tab');
  await expect(page.getByLabel('Password')).toBeFocused();
  await page.keyboard.type(person.password);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Allow', exact: true })).toBeVisible();
  await tabTo(page.locator('#allow'));
  await page.keyboard.press('Enter');
  await expectStatus(page, 'Hello, ' + person.name);
  await page.goto(keywright.issuer + '/sign-out');
  await tabTo(page.locator('#sign-out'));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'You are signed out' })).toBeVisible();
});

test('whoever does not allow it goes back without a code', async ({ keywright, start, page }) => {
  const app = await start(WebApp, { id: 'denied' });
  await page.goto(app.origin + '/sign-in');
  await signIn(page, await keywright.register(newPerson()));
  await page.getByRole('button', { name: 'Do not allow' }).click();
  await expectStatus(page, 'access_denied');
});

test('a wrong password keeps the address and waits for another password', async ({ keywright, start, page }) => {
  const app = await start(WebApp, { id: 'wrong-password', flags: ['--trusted'] });
  const person = await keywright.register(newPerson());
  await page.goto(app.origin + '/sign-in');
  await signIn(page, { ...person, password: 'not my password' });
  await expect(page.getByRole('alert')).toHaveText('The email address or the password is not right.');
  await expect(page.getByLabel('Email address')).toHaveValue(person.email);
  await expect(page.getByLabel('Password')).toBeFocused();
  await expect(page.getByLabel('Password')).toHaveValue('');
  await page.keyboard.type(person.password);
  await page.keyboard.press('Enter');
  await expectStatus(page, 'Hello, ' + person.name);
});

test('going back after signing out shows nothing of the account', async ({ keywright, page }) => {
  const person = await keywright.register(newPerson());
  await page.goto(keywright.issuer + '/sign-in');
  await signIn(page, person);
  await expect(page.getByText(person.email)).toBeVisible();
  await page.getByRole('link', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'You are signed out' })).toBeVisible();
  for (let i = 0; i < 3; i++) {
    await page.goBack();
    await expect(page.locator('h1')).toBeVisible();
    await expect(page.getByText(person.email)).toHaveCount(0);
    await expect(page.getByLabel('Your name')).toHaveCount(0);
  }
});

test('two tabs of one flow both arrive, each with a code of its own', async ({ keywright, start, context, page }) => {
  const app = await start(WebApp, { id: 'two-tabs', flags: ['--trusted'] });
  const person = await keywright.register(newPerson());
  await page.goto(app.origin + '/sign-in');
  await expect(page.getByLabel('Password')).toBeVisible();

  // The link below the form, opened in another tab, carries the same flow.
  const opened = context.waitForEvent('page');
  await page.getByRole('button', { name: 'Create an account' }).click({ modifiers: ['Control'] });
  const second = await opened;
  await second.getByRole('button', { name: 'Sign in' }).click();

  const codes: string[] = [];
  context.on('request', (request) => {
    const code = new URL(request.url()).searchParams.get('code');
    if (code) codes.push(code);
  });
  for (const tab of [second, page]) {
    await signIn(tab, person);
    await expectStatus(tab, 'Hello, ' + person.name);
  }
  expect(new Set(codes).size).toBe(2);
});

test('a person chooses to go on as who they are', async ({ keywright, start, page }) => {
  const app = await start(WebApp, { id: 'choose', flags: ['--trusted'] });
  const [ada, grace] = [await keywright.register(newPerson()), await keywright.register(newPerson('Grace Hopper'))];
  await page.goto(keywright.issuer + '/sign-in');
  await signIn(page, ada);
  app.parameters = { prompt: 'select_account' };
  await page.goto(app.origin + '/sign-in');
  await page.getByRole('button', { name: 'Continue as ' + ada.name }).click();
  await expectStatus(page, 'Hello, ' + ada.name);
  await page.goto(app.origin + '/sign-in');
  await page.getByRole('button', { name: 'Use another account' }).click();
  await signIn(page, grace);
  await expectStatus(page, 'Hello, ' + grace.name);
});

test('the language is a choice that lasts', async ({ start, page }) => {
  const app = await start(WebApp, { id: 'language' });
  await page.goto(app.origin + '/sign-in');
  await page.getByRole('button', { name: 'Deutsch' }).click();
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
  await page.goto(app.origin + '/sign-in');
  await expect(page.getByRole('button', { name: 'Anmelden' })).toBeVisible();
});

test('an account page withdraws what an app was allowed', async ({ keywright, start, page }) => {
  const app = await start(WebApp, { id: 'withdrawn', flags: ['--name', 'Withdrawn'] });
  const person = await keywright.register(newPerson());
  await page.goto(app.origin + '/sign-in');
  await signIn(page, person);
  await allow(page);
  await expectStatus(page, 'Hello, ' + person.name);
  await page.goto(keywright.issuer + '/account');
  await page.getByRole('button', { name: 'Remove access: Withdrawn' }).click();
  await expect(page.getByRole('status')).toHaveText('This app has no access any more.');
  await page.goto(app.origin + '/');
  await expectStatus(page, 'Hello, somebody whose token is dead');
});
