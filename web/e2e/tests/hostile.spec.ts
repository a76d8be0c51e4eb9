import type { Browser, Page } from '@playwright/test';
import { newPerson, type Keywright, type Person } from '../keywright.ts';
import { expect, test } from '../test.ts';

/** What people and apps might call themselves to get a script into a page. */
const payloads = [
  `<script>alert(1)</script>`,
  `"><script>alert(1)</script>`,
  `'><img src=x onerror=alert(1)>`,
  `<svg onload=alert(1)>`,
  `"/><svg/onload=alert(1)//`,
  `javascript:alert(1)`,
  `" autofocus onfocus=alert(1) x="`,
  `' onmouseover='alert(1)`,
  ` accesskey=x onclick=alert(1) `,
  `</title><script>alert(1)</script>`,
  `</textarea><script>alert(1)</script>`,
  `</style><script>alert(1)</script>`,
  `</main></body><body onload=alert(1)>`,
  `<iframe srcdoc="<script>alert(1)</script>"></iframe>`,
  `<meta http-equiv=refresh content="0;url=javascript:alert(1)">`,
  `<base href="https://evil.example/">`,
  `<link rel=stylesheet href=//evil.example/x.css>`,
  `</form><form action=https://evil.example><button id=sign-in>`,
  `<object data="data:text/html,<script>alert(1)</script>"></object>`,
  `<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>`,
  `<!--><script>alert(1)</script-->`,
  `--!><script>alert(1)</script>`,
  `]]><script>alert(1)</script>`,
  `{{constructor.constructor('alert(1)')()}}`,
  `{{template "layout"}}{{printf "%s" .}}`,
  '${alert(1)}`+alert(1)+`',
  `%3Cscript%3Ealert(1)%3C/script%3E`,
  `&lt;script&gt;alert(1)&lt;/script&gt;`,
  `&#60;script&#62;alert(1)&#60;/script&#62;`,
  `\\u003cscript\\u003ealert(1)`,
  `<ScRiPt>alert(1)</sCrIpT>`,
  `<img/src="x"/onerror=alert\`1\`>`,
  `<a href="javascript:alert(1)" id=allow>Allow</a>`,
  `<details open ontoggle=alert(1)>`,
  `<template shadowrootmode=open><slot onslotchange=alert(1)>`,
  `+ADw-script+AD4-alert(1)+ADw-/script+AD4-`,
  `＜script＞alert(1)＜/script＞`,
];

const callback = 'http://localhost:7001/callback';

/** What a page is made of: each element with the names of its attributes. */
const skeleton = (page: Page) =>
  page.evaluate(() => [...document.querySelectorAll('*')].map((e) => [e.localName, ...e.getAttributeNames()].join(' ')));

/** Submits a form, though the browser would find fault with it, and waits for the next page. */
async function press(page: Page, button: string): Promise<void> {
  const loaded = page.waitForEvent('load');
  await page.locator(button).evaluate((e) => {
    (e as HTMLButtonElement).form!.noValidate = true;
    (e as HTMLButtonElement).click();
  });
  await loaded;
}

/** Visits every page that shows what somebody chose, and returns what each is made of. */
async function visitAll(page: Page, keywright: Keywright, client: string, person: Person, text: string): Promise<Record<string, string[]>> {
  const seen: Record<string, string[]> = {};
  const look = async (name: string) => (seen[name] = await skeleton(page));
  const to = (path: string, parameters: Record<string, string>) =>
    page.goto(`${keywright.issuer}${path}?${new URLSearchParams(parameters)}`);
  const request = {
    client_id: client, redirect_uri: callback, response_type: 'code', scope: 'openid profile', response_mode: 'form_post',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256', state: text, nonce: text,
  };
  await page.route('**/form-post.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' })); // so that its page stays

  await to('/authorize', { ...request, login_hint: text, ui_locales: text });
  await look('sign in');
  await page.fill('#email', text);
  await press(page, '#sign-in');
  await look('sign in again');
  expect(await page.inputValue('#email')).toBe(text.trim());
  await press(page, 'button[value=show]');
  await page.fill('#email', text);
  await page.fill('#name', text);
  await press(page, '#sign-up');
  await look('sign up again');
  expect(await page.inputValue('#name')).toBe(text);

  await to('/authorize', { ...request, login_hint: person.email });
  await page.fill('#password', person.password);
  await press(page, '#sign-in');
  await look('consent');
  await press(page, '#allow');
  await look('form post');
  expect(await page.inputValue('[name=state]')).toBe(text);
  await to('/authorize', { ...request, prompt: 'select_account' });
  await look('choose an account');
  await to('/account', {});
  await look('account');
  expect(await page.inputValue('#name')).toBe(person.name);
  await to('/end_session', { client_id: client, state: text, ui_locales: text });
  await look('sign out');
  await to('/authorize', { ...request, redirect_uri: text });
  await look('wrong redirect URI');
  await to('/authorize', { ...request, client_id: text });
  await look('unknown client');
  await page.goto(keywright.issuer + '/dev/flows');
  await look('flows');
  return seen;
}

/** These show how much text differs or has happened, so only their kinds of elements are compared. */
const ofAnyLength = ['wrong redirect URI', 'flows'];

let harmless: Record<string, string[]> | undefined;
let clients = 0;

/** The pages for a name; those for a harmless one are what the others are held to. */
async function pagesOf(page: Page, keywright: Keywright, text: string): Promise<Record<string, string[]>> {
  const id = `named-${++clients}`;
  keywright.addClient(id, '--redirect-uri', callback, '--name', text);
  return visitAll(page, keywright, id, await keywright.register(newPerson(text)), text);
}

async function harmlessPages(browser: Browser, keywright: Keywright): Promise<Record<string, string[]>> {
  const page = await browser.newPage({ locale: 'en' });
  try {
    return await pagesOf(page, keywright, 'Plain');
  } finally {
    await page.close();
  }
}

test('a script that got into a page would be noticed', async ({ keywright, page, complaints }) => {
  await page.goto(keywright.issuer + '/sign-in');
  await page.evaluate(() => document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>'));
  await expect.poll(() => complaints.splice(0)).toContainEqual(expect.stringContaining('Content Security Policy'));
  await page.evaluate(() => alert(1));
  await expect.poll(() => complaints.splice(0)).toContainEqual(expect.stringContaining('dialog: 1'));
});

for (const [i, payload] of payloads.entries()) {
  test(`nothing of hostile text ${i + 1} becomes part of a page`, async ({ keywright, browser, page }) => {
    harmless ??= await harmlessPages(browser, keywright);
    const pages = await pagesOf(page, keywright, payload);
    for (const [name, elements] of Object.entries(pages)) {
      const known = harmless[name];
      if (ofAnyLength.includes(name)) expect(known, name).toEqual(expect.arrayContaining([...new Set(elements)]));
      else expect(elements, name).toEqual(known);
    }
  });
}
