import { BuiltApp } from '../apps/built.ts';
import { FreshApp } from '../freshapp.ts';
import { newPerson } from '../keywright.ts';
import { allow, signIn } from '../person.ts';
import { expect, test as base } from '../test.ts';

const test = base.extend<{ fresh: FreshApp }>({
  fresh: async ({}, use) => {
    const fresh = await FreshApp.make();
    await use(fresh);
    await fresh.remove();
  },
});

test.setTimeout(120_000); // the CLI builds three times

const add = (issuer: string, ...more: string[]) =>
  ['add', '@keywright/angular', '--skip-confirmation', '--issuer', issuer, '--client-id', 'fresh', ...more];

/** A sign-in form says that a password is wrong; nothing else says that a sign-in was refused. */
const buttonSpec = `
import { KeywrightError, type KeywrightErrorCode } from '@keywright/angular';
import { SignInButton } from './sign-in-button/sign-in-button';

it.each<[KeywrightErrorCode, RegExp]>([['credentials-wrong', /^$/], ['sign-in-refused', /a problem with your sign-in/]])('%s', async (code, said) => {
  TestBed.configureTestingModule({ providers: [provideKeywrightTesting({ error: new KeywrightError(code) })] });
  const button = TestBed.createComponent(SignInButton);
  await button.whenStable();
  expect(button.nativeElement.querySelector('[role=alert]').textContent.trim()).toMatch(said);
});
`;

test('ng add makes a fresh app sign people in, and its tests pass', { tag: '@sites' }, async ({ keywright, start, fresh, page }) => {
  const said = await fresh.ng(...add(keywright.issuer));
  expect(said).toContain('keywright client add --id fresh --public --trusted --redirect-uri http://localhost:4200/callback --post-logout-redirect-uri http://localhost:4200/\n');
  const sources = await fresh.sources();
  expect(await fresh.ng(...add(keywright.issuer))).toContain('Nothing to be done.');
  expect(await fresh.sources()).toEqual(sources);
  await fresh.edit('app/app.spec.ts', /$/, buttonSpec);
  expect(await fresh.ng('test', '--watch=false')).toMatch(/Tests.*4 passed/);
  await fresh.ng('build');

  const app = await start(BuiltApp, { id: 'fresh', app: fresh.built, inlineStyles: true });
  const person = await keywright.register(newPerson());
  await page.goto(app.origin + '/profile');
  await signIn(page, person);
  await allow(page);
  await page.waitForURL(app.origin + '/profile');
  const name = page.getByRole('heading', { name: person.name });
  await expect(name).toBeVisible();
  await expect(page.getByRole('definition').getByText(person.email)).toBeVisible();
  await page.reload();
  await expect(name).toBeVisible();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(app.origin + '/');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await signIn(page, person);
  await expect(page.getByRole('banner')).toContainText(person.name);
});

test('without its user interface, ng add makes what a browser loads at most 14,000 bytes more', async ({ fresh }) => {
  await fresh.edit('app/app.config.ts', 'provideRouter(routes)', 'provideRouter(routes), provideHttpClient(withInterceptors([]))');
  await fresh.edit('app/app.config.ts', /^/, `import { provideHttpClient, withInterceptors } from '@angular/common/http';\n`);
  await fresh.ng('build');
  const before = await fresh.bytes();

  await fresh.ng(...add('http://localhost:10101', '--skip-ui'));
  await fresh.edit('app/app.routes.ts', '[]', `[{ path: 'mine', canActivate: [keywrightGuard], children: [] }]`);
  await fresh.edit('app/app.routes.ts', /^/, `import { keywrightGuard } from '@keywright/angular';\n`);
  await fresh.ng('build');
  const added = (await fresh.bytes()) - before;
  console.log(`the library adds ${added} bytes`);
  expect(added).toBeLessThanOrEqual(14_000);
});
