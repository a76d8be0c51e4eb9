import { globSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { listen } from '../apps/listen.ts';
import { newPerson, type Keywright } from '../keywright.ts';
import { signIn } from '../person.ts';
import { expect, test } from '../test.ts';

function addressOf(title: string, { greeting }: Keywright): string {
  return new RegExp(`^${title} +(http://localhost:\\d+)$`, 'm').exec(greeting)?.[1] ?? '';
}

test('dev --demo serves both apps, which sign people in once', async ({ serve, context, page }) => {
  const keywright = await serve({}, '--demo=0,0');
  const person = await keywright.register(newPerson());
  const [demo, second] = [addressOf('Demo', keywright), addressOf('Second app', keywright)];
  await page.goto(keywright.issuer);
  await page.getByRole('link', { name: /demo app/ }).click();
  await page.waitForURL(demo + '/');
  await page.goto(demo + '/profile');
  await signIn(page, person);
  await page.waitForURL(demo + '/profile');
  await expect(page.getByRole('banner')).toContainText(person.name);
  const other = await context.newPage();
  await other.goto(second);
  await expect(other.getByText(person.name).first()).toBeVisible(); // without a form
});

test('the first load of the demo is at most 75 KB', async ({ serve, browser }) => {
  const keywright = await serve({}, '--demo=0,0');
  for (const path of ['/', '/login']) {
    const page = await browser.newPage(); // which has nothing in its cache
    const sizes: Promise<number>[] = [];
    page.on('requestfinished', (request) => sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize)));
    await page.goto(addressOf('Demo', keywright) + path, { waitUntil: 'networkidle' });
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    console.log(`first load of the demo at ${path}: ${total} bytes in ${sizes.length} answers`);
    expect(sizes.length).toBeGreaterThan(3);
    expect(total).toBeLessThanOrEqual(75_000);
    await page.close();
  }
});

test('browsers keep every script and style of both apps', async ({ serve }) => {
  const keywright = await serve({}, '--demo=0,0');
  for (const [title, folder] of [['Demo', 'demo'], ['Second app', 'second']]) {
    const files = globSync('**/*.{js,css}', { cwd: join(import.meta.dirname, '../../dist', folder) });
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      const { headers } = await fetch(`${addressOf(title, keywright)}/${file}`);
      expect(headers.get('Cache-Control'), file).toContain('immutable');
    }
  }
});

test('a busy port is skipped with a line, and the rest works', async ({ serve }) => {
  const busy = createServer();
  const port = await listen(busy);
  const keywright = await serve({}, `--demo=${port},0`);
  expect(keywright.remarks).toEqual([expect.stringMatching(new RegExp(`^Demo is not served: 127.0.0.1:${port} is in use by .*--demo$`))]);
  expect(addressOf('Demo', keywright)).toBe('');
  expect((await fetch(addressOf('Second app', keywright))).status).toBe(200);
  expect((await fetch(keywright.issuer + '/readyz')).status).toBe(200);
  busy.close();
});
