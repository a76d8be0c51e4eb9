import { StaticApp } from '../apps/static.ts';
import { WebApp } from '../apps/web.ts';
import { newPerson } from '../keywright.ts';
import { allow, expectStatus, signIn } from '../person.ts';
import { expect, test } from '../test.ts';

const nobody = 'Nobody is signed in';
const event = 'http://schemas.openid.net/event/backchannel-logout';

test('sign up at one app, be known to the next, sign out of both', async ({ keywright, start, context, page }) => {
  const notes = await start(StaticApp, { id: 'sso-notes', flags: ['--name', 'Notes'] });
  const bills = await start(StaticApp, { id: 'sso-bills', flags: ['--name', 'Bills', '--trusted'] });
  const person = newPerson();

  await page.goto(notes.origin);
  await expectStatus(page, nobody);
  await page.click('#sign-in');
  await expect(page.getByRole('heading', { name: 'Sign in to Notes' })).toBeVisible();
  await page.getByRole('button', { name: 'Create an account' }).click();
  await page.getByLabel('Your name').fill(person.name);
  await page.getByLabel('Email address').fill(person.email);
  await page.getByLabel('Password').fill(person.password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByLabel('Email address')).toHaveValue(person.email);
  await expect(page.getByLabel('Password')).toBeFocused();
  await page.getByLabel('Password').fill(person.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Notes wants to use your account' })).toBeVisible();
  await allow(page);
  await expectStatus(page, 'Hello, ' + person.name);

  const second = await context.newPage();
  await second.goto(bills.origin);
  await second.click('#sign-in');
  await expectStatus(second, 'Hello, ' + person.name);

  await second.click('#sign-out');
  await second.waitForURL(bills.origin + '/');
  await expectStatus(second, nobody);
  await expectStatus(page, nobody); // by the frame: this page was not loaded again
  for (const { frontchannel, backchannel } of [notes, bills]) {
    await expect.poll(() => backchannel).toEqual([expect.objectContaining({ iss: keywright.issuer, sid: expect.any(String), events: { [event]: {} } })]);
    await expect.poll(() => frontchannel.map((told) => Object.fromEntries(told))).toStrictEqual([{ iss: keywright.issuer, sid: backchannel[0].sid }]);
  }
  await page.click('#silent');
  await expectStatus(page, 'login_required');
});

test('prompt=none by a redirect signs in whoever is signed in', async ({ keywright, start, page }) => {
  const app = await start(StaticApp, { id: 'silent', flags: ['--trusted'] });
  const person = await keywright.register(newPerson());
  await page.goto(app.origin);
  await page.click('#silent');
  await expectStatus(page, 'login_required');
  await page.goto(keywright.issuer + '/sign-in');
  await signIn(page, person);
  await expect(page.getByRole('heading', { name: 'Your account' })).toBeVisible();
  await page.goto(app.origin);
  await page.click('#silent');
  await expectStatus(page, 'Hello, ' + person.name);
});

const sites = { 'of the same site': 'localhost', 'of another site': 'app.localhost' };

for (const [where, host] of Object.entries(sites)) {
  test(`a page ${where} signs in and out`, async ({ keywright, start, page }) => {
    const app = await start(StaticApp, { id: 'page-' + host, host });
    const person = await keywright.register(newPerson());
    await page.goto(app.origin);
    await page.click('#sign-in');
    await signIn(page, person);
    await allow(page);
    await expectStatus(page, 'Hello, ' + person.name);
    await page.click('#sign-out');
    await page.waitForURL(app.origin + '/');
    await expectStatus(page, nobody);
    await expect.poll(() => app.frontchannel).toHaveLength(1);
  });

  for (const javaScriptEnabled of [true, false]) {
    test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
      test.use({ javaScriptEnabled });

      for (const mode of ['query', 'form_post']) {
        test(`an app ${where} signs in by ${mode}, and out`, async ({ keywright, start, page }) => {
          const app = await start(WebApp, { id: `app-${host}-${mode}-${javaScriptEnabled}`, host });
          app.parameters = { response_mode: mode };
          const person = await keywright.register(newPerson());
          await page.goto(app.origin);
          await page.getByRole('link', { name: 'Sign in' }).click();
          await signIn(page, person);
          await allow(page);
          if (mode === 'form_post' && !javaScriptEnabled) await page.getByRole('button', { name: 'Continue' }).click();
          await expectStatus(page, 'Hello, ' + person.name);
          await page.getByRole('link', { name: 'Sign out' }).click();
          await page.waitForURL(app.origin + '/');
          await expectStatus(page, nobody);
          await expect.poll(() => app.frontchannel).toHaveLength(1);
          await expect.poll(() => app.backchannel).toHaveLength(1);
        });
      }
    });
  }
}
