import { AxeBuilder } from '@axe-core/playwright';
import { galleryOf, hold, schemes, windows } from '../gallery.ts';
import { expect, test } from '../test.ts';

for (const colorScheme of schemes) {
  for (const [name, viewport] of Object.entries(windows)) {
    test.describe(`${colorScheme}, ${name}`, () => {
      test.use({ colorScheme, viewport });

      test('axe finds nothing on any page', async ({ keywright, page }) => {
        test.setTimeout(180_000);
        await hold(page);
        for (const state of await galleryOf(keywright)) {
          await page.goto(`${keywright.issuer}/dev/pages/${state}`);
          const { violations } = await new AxeBuilder({ page }).analyze();
          const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`);
          expect.soft(found, state).toEqual([]);
        }
      });

      test('no page is wider than its window', async ({ keywright, page }) => {
        await hold(page);
        for (const state of await galleryOf(keywright)) {
          await page.goto(`${keywright.issuer}/dev/pages/${state}`);
          expect.soft(await page.evaluate(() => document.documentElement.scrollWidth), state).toBeLessThanOrEqual(viewport.width);
        }
      });
    });
  }
}

test('axe would find a field without a label', async ({ keywright, page }) => {
  await page.goto(keywright.issuer + '/dev/pages/sign-in');
  await page.evaluate(() => document.querySelector('label[for=email]')!.remove());
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((v) => v.id)).toEqual(['label']);
});
