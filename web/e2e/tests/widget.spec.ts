import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { WidgetApp, type WidgetRegistration } from '../apps/widget.ts';
import { schemes, windows } from '../gallery.ts';
import { newPerson, type Keywright, type Person } from '../keywright.ts';
import { expect, test as base } from '../test.ts';

/** A page that has the widget, and what people find there. */
class Widget {
  readonly page: Page;
  readonly keywright: Keywright;

  constructor(page: Page, keywright: Keywright) {
    this.page = page;
    this.keywright = keywright;
  }

  get email() {
    return this.page.getByLabel('Email address');
  }

  get password() {
    return this.page.getByLabel('Password', { exact: true });
  }

  get alert() {
    return this.page.getByRole('alert');
  }

  get status() {
    return this.page.getByRole('status');
  }

  get element() {
    return this.page.locator('keywright-sign-in');
  }

  /** What a person sees of it: where each part is, and how it looks. */
  async look(): Promise<unknown> {
    return this.element.evaluate((element) => [element, ...element.querySelectorAll<HTMLElement>(':not(svg *)')].map((part) => {
      const { x, y, width, height } = part.getBoundingClientRect();
      const { boxShadow, textTransform, letterSpacing, color, backgroundColor } = getComputedStyle(part);
      return [part.tagName, x, y - element.getBoundingClientRect().y, width, height, boxShadow, textTransform, letterSpacing, color, backgroundColor];
    }));
  }

  /** Gives the page a design of its own. */
  async design(css: string): Promise<void> {
    await this.page.evaluate((text) => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      document.adoptedStyleSheets.unshift(sheet);
    }, css);
  }

  button(name: string) {
    return this.page.getByRole('button', { name, exact: true });
  }

  async register(person: Person): Promise<void> {
    await this.button('Create an account').click();
    await this.page.getByLabel('Your name').fill(person.name);
    await this.email.fill(person.email);
    await this.password.fill(person.password);
    await this.button('Create account').click();
  }

  async signIn({ email, password }: Person): Promise<void> {
    await this.email.fill(email);
    await this.password.fill(password);
    await this.button('Sign in').click();
  }

  async expectPerson({ name }: Person): Promise<void> {
    await expect(this.page.locator('#person')).toHaveText('Hello, ' + name);
  }
}

interface Opening extends Omit<WidgetRegistration, 'id'> {
  /** The settings of a server of its own. */
  server?: Record<string, string>;
}

const workspace = join(import.meta.dirname, '../..');
const library = join(workspace, 'dist/keywright');

let widgets = 0;

const test = base.extend<{ open: (opening?: Opening) => Promise<Widget> }>({
  open: async ({ keywright, serve, start, page }, use) => {
    await use(async ({ server, ...registration } = {}) => {
      const issuer = server ? await serve(server) : keywright;
      const app = await start(WidgetApp, { id: `widget-${++widgets}`, ...registration }, issuer);
      await page.goto(app.origin);
      return new Widget(page, issuer);
    });
  },
});

/** Lets the console report what a test provokes. */
function provoke(what: RegExp): void {
  test.use({ provoked: what });
}

test.describe('a page of no framework', () => {
  provoke(/status of (400|401)/);

  test('creates an account, signs in, and the token is good', async ({ open }) => {
    const widget = await open();
    const person = newPerson();
    await widget.register(person);
    await expect(widget.status).toHaveText('If this address is new here, your account is ready. Sign in to continue.');
    await expect(widget.email).toHaveValue(person.email);
    await expect(widget.password).toBeFocused();
    await widget.password.fill(person.password);
    await widget.button('Sign in').click();
    await widget.expectPerson(person);
    await expect(widget.password).toHaveValue('');
    expect(new URL(widget.page.url()).search).toBe('');
  });

  test('says that a password is wrong, and lets the person try again at once', async ({ open, keywright }) => {
    const widget = await open();
    const person = await keywright.register(newPerson());
    await widget.signIn({ ...person, password: 'not my password' });
    await expect(widget.alert).toHaveText('The email address or the password is not right.');
    await expect(widget.email).toHaveValue(person.email);
    await expect(widget.password).toBeFocused();
    await widget.page.keyboard.type(person.password); // over what was wrong
    await widget.page.keyboard.press('Enter');
    await widget.expectPerson(person);
    await expect(widget.alert).toBeEmpty();
  });

  test('says beside the field why it is refused', async ({ open }) => {
    const widget = await open();
    const person = newPerson();
    await widget.register({ ...person, password: 'password' });
    await expect(widget.password).toHaveAttribute('aria-invalid', 'true');
    await expect(widget.password).toHaveAccessibleDescription(/^This password is among the first that attackers try.* At least 8 characters/);
    await expect(widget.password).toBeFocused();
    await widget.page.keyboard.type(person.password);
    await widget.page.keyboard.press('Enter');
    await expect(widget.status).toContainText('your account is ready');
  });
});

test('is at most 8 KB, as it is packed, also for who cannot take brotli', async () => {
  const packed = await readFile(join(library, 'fesm2022/keywright-angular-element.mjs'));
  const size = gzipSync(packed).length;
  console.log(`the widget: ${packed.length} bytes, ${size} by gzip, ${brotliCompressSync(packed).length} by brotli`);
  expect(size).toBeLessThanOrEqual(8_000);
});

test('the package brings no Angular along, has a license, and a readme whose code is compiled', async () => {
  const { peerDependencies, peerDependenciesMeta } = JSON.parse(await readFile(join(library, 'package.json'), 'utf8'));
  expect(Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta?.[name]?.optional)).toEqual([]);
  expect(await readdir(library)).toEqual(expect.arrayContaining(['LICENSE', 'README.md']));
  expect(await readFile(join(library, 'LICENSE'), 'utf8')).toBe(await readFile(join(workspace, '../LICENSE'), 'utf8'));
  expect(await readFile(join(library, 'README.md'), 'utf8')).toContain(await readFile(join(workspace, 'projects/keywright/examples/app.config.ts'), 'utf8'));
});

test('shows a password to whoever asks, and hides it when it is sent', async ({ open, keywright }) => {
  const widget = await open();
  const person = await keywright.register(newPerson());
  await widget.email.fill(person.email);
  await widget.password.fill(person.password);
  await widget.button('Show password').click();
  await expect(widget.password).toHaveAttribute('type', 'text');
  await expect(widget.button('Show password')).toHaveAttribute('aria-pressed', 'true');
  await widget.button('Sign in').click();
  await expect(widget.password).toHaveAttribute('type', 'password');
  await widget.expectPerson(person);
});

test.describe('in a page', () => {
  test('of another design it looks the same', async ({ open }) => {
    const widget = await open();
    await widget.password.fill('not yet');
    const before = await widget.look();
    await widget.design(`
      body { text-transform: uppercase; letter-spacing: 2px; }
      form, label, p, div { display: flex; padding: 20px; background: hotpink; border: 3px solid; }
      span, svg { display: block; margin: 9px; padding: 9px; }
      button, input { width: 100%; height: 90px; margin: 9px; text-transform: uppercase; letter-spacing: 3px; box-shadow: 0 0 9px red; }
    `);
    await expect(widget.page.locator('#person')).toHaveCSS('display', 'flex');
    expect(await widget.look()).toEqual(before);
  });

  test('that hides it nobody sees it', async ({ open }) => {
    const widget = await open({ attributes: 'hidden' });
    await expect(widget.page.locator('form')).toBeAttached();
    await expect(widget.element).toBeHidden();
  });

  test('of people who read large letters its letters are large, and never small', async ({ open }) => {
    const widget = await open();
    const size = async (root: string) => {
      await widget.page.evaluate((fontSize) => (document.documentElement.style.fontSize = fontSize), root);
      return widget.email.evaluate((input) => getComputedStyle(input).fontSize);
    };
    expect([await size(''), await size('24px'), await size('62.5%')]).toEqual(['16px', '24px', '16px']);
  });

  test('that is written from the right, words go as their language does, and addresses from the left', async ({ open }) => {
    const widget = await open();
    await widget.page.evaluate(() => (document.documentElement.dir = 'rtl'));
    await expect(widget.page.locator('form')).toHaveCSS('direction', 'ltr');
    await widget.element.evaluate((element) => Object.assign(element, { texts: { 'lang': 'ar', 'sign-in.title': 'تسجيل الدخول' } }).focus());
    await expect(widget.page.locator('form')).toHaveCSS('direction', 'rtl');
    await expect(widget.email).toHaveCSS('direction', 'ltr');
  });

  test('it can be moved into a frame, and back', async ({ open }) => {
    const widget = await open();
    await widget.email.fill('ada@example.com');
    const inFrame = await widget.element.evaluate((element) => {
      const frame = document.body.appendChild(document.createElement('iframe'));
      frame.contentDocument!.body.append(element);
      const style = frame.contentWindow!.getComputedStyle(element).display;
      document.querySelector('main')!.append(element);
      return [style, frame.contentDocument!.adoptedStyleSheets.length, document.adoptedStyleSheets.length];
    });
    expect(inFrame).toEqual(['block', 1, 1]);
    await expect(widget.email).toHaveValue('ada@example.com');
  });
});

test('the keyboard alone creates an account and signs in', async ({ open }) => {
  const widget = await open();
  const { keyboard } = widget.page;
  const person = newPerson();
  for (const next of [widget.email, widget.password, widget.button('Show password'), widget.button('Sign in'), widget.button('Create an account')]) {
    await keyboard.press('Tab');
    await expect(next).toBeFocused();
  }
  await keyboard.press('Enter');
  await expect(widget.page.getByLabel('Your name')).toBeFocused();
  await keyboard.type(person.name);
  await keyboard.press('Tab');
  await keyboard.type(person.email);
  await keyboard.press('Tab');
  await keyboard.type(person.password);
  await keyboard.press('Enter');
  await expect(widget.status).toContainText('your account is ready');
  await expect(widget.password).toBeFocused();
  await keyboard.type(person.password);
  await keyboard.press('Enter');
  await widget.expectPerson(person);
});

test.describe('after too many attempts', () => {
  provoke(/status of (401|429)/);

  test('it waits as long as the server says, and signs in then', async ({ open }) => {
    const widget = await open({ server: { KEYWRIGHT_THROTTLE: 'account=1,address=100,window=6s' } });
    const person = await widget.keywright.register(newPerson());
    await widget.signIn({ ...person, password: 'not my password' });
    await expect(widget.alert).toContainText('not right');
    await widget.signIn(person);
    await expect(widget.alert).toContainText('too many');
    await expect(widget.button('Sign in')).toHaveAttribute('aria-disabled', 'true');
    await expect(widget.status).toHaveText('You can try again now.');
    await widget.button('Sign in').click();
    await widget.expectPerson(person);
  });

  test('somebody else signs in at once', async ({ open }) => {
    const widget = await open({ server: { KEYWRIGHT_THROTTLE: 'account=1,address=100,window=15m' } });
    const [forgetful, other] = [await widget.keywright.register(newPerson()), await widget.keywright.register(newPerson())];
    await widget.signIn({ ...forgetful, password: 'not my password' });
    await expect(widget.alert).toContainText('not right');
    await widget.button('Sign in').click();
    await expect(widget.alert).toContainText('too many');
    await widget.signIn(other);
    await widget.expectPerson(other);
  });
});

test.describe('without a connection', () => {
  provoke(/net::ERR_(INTERNET_DISCONNECTED|CONNECTION_REFUSED)/);

  test('it says so, keeps what was typed, and goes on when there is one', async ({ open, keywright, context }) => {
    const widget = await open();
    const person = await keywright.register(newPerson());
    await context.setOffline(true);
    await widget.signIn(person);
    await expect(widget.alert).toHaveText('You are offline. What you typed is still here: try again once you are connected.');
    await context.setOffline(false);
    await widget.button('Sign in').click();
    await widget.expectPerson(person);
  });

  test('to the server alone it says that', async ({ open, serve, context }) => {
    const server = await serve();
    await server.stop();
    await context.addInitScript(() => Object.defineProperty(navigator, 'onLine', { get: () => true })); // also on a machine without a network
    const widget = await open({ issuer: server.issuer });
    await widget.signIn(newPerson());
    await expect(widget.alert).toHaveText('We cannot reach the sign-in server. What you typed is still here: try again in a moment.');
  });
});

test.describe('where the operator says no', () => {
  provoke(/status of 403|blocked by CORS policy|net::ERR_FAILED|lets no page of http:\/\/app\.localhost:\d+ sign in/);

  test('to new people, they read it', async ({ open }) => {
    const widget = await open({ server: { KEYWRIGHT_SIGN_UP: 'closed' } });
    await widget.register(newPerson());
    await expect(widget.alert).toHaveText('Nobody can make an account here. Ask the people who run this site for one.');
  });

  test('to the origin, people get a plain text, and developers the setting', async ({ open }) => {
    const widget = await open({ host: 'app.localhost' });
    const said = widget.page.waitForEvent('console', (message) => message.text().startsWith('keywright-sign-in:'));
    await widget.signIn(newPerson());
    await expect(widget.alert).toHaveText('Signing in does not work on this page. The people who run this site can fix that.');
    expect((await said).text()).toContain('direct_origins');
  });
});

test.describe('where the server is not what it should be', () => {
  provoke(/\/login answered a redirect/);

  test('and sends people elsewhere, it says so', async ({ open }) => {
    const widget = await open();
    await widget.page.route('**/login', (route) => route.fulfill({ status: 307, headers: { 'Location': '/elsewhere', 'Access-Control-Allow-Origin': '*' } }));
    await widget.signIn(newPerson());
    await expect(widget.alert).toHaveText('Something is wrong with signing in here. Try again later.');
  });
});

for (const colorScheme of schemes) {
  for (const [name, viewport] of Object.entries(windows)) {
    test.describe(`${colorScheme}, ${name}`, () => {
      test.use({ colorScheme, viewport });
      provoke(/status of (400|401|429)|net::ERR_INTERNET_DISCONNECTED/);

      test('axe finds nothing in any state, none is too wide, and fingers hit everything', async ({ open, page, context }) => {
        const widget = await open({ server: { KEYWRIGHT_THROTTLE: 'account=1,address=100,window=15m' } });
        const person = newPerson();
        const check = async (state: string) => {
          const { violations } = await new AxeBuilder({ page }).analyze();
          expect.soft(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`), state).toEqual([]);
          expect.soft(await page.evaluate(() => document.documentElement.scrollWidth), state).toBeLessThanOrEqual(viewport.width);
          const heights = await page.locator('keywright-sign-in :is(button, input)').evaluateAll((targets) => targets.map((t) => t.getBoundingClientRect().height));
          expect.soft(Math.min(...heights), state).toBeGreaterThanOrEqual(44);
        };
        await expect(widget.email).toBeVisible();
        await check('sign-in');
        await widget.register({ ...person, password: 'password' });
        await expect(widget.password).toHaveAttribute('aria-invalid', 'true');
        await check('a refused field');
        await widget.password.fill(person.password);
        await widget.button('Show password').click();
        await check('a shown password');
        await widget.button('Create account').click();
        await expect(widget.status).toContainText('ready');
        await check('an account that is ready');
        await context.setOffline(true);
        await widget.signIn({ ...person, password: 'not my password' });
        await expect(widget.alert).toContainText('offline');
        await check('offline');
        await context.setOffline(false);
        let go = () => {};
        const held = new Promise<void>((resolve) => (go = resolve));
        await page.route('**/login', (route) => held.then(() => route.continue()));
        await widget.button('Sign in').click();
        await expect(widget.button('Signing in…')).toBeVisible();
        await check('busy');
        go();
        await expect(widget.alert).toContainText('not right');
        await check('a wrong password');
        await widget.button('Sign in').click();
        await expect(widget.alert).toContainText('too many');
        await check('too many attempts');
      });
    });
  }
}
