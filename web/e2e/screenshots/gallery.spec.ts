import { galleryOf, hold, schemes, windows } from '../gallery.ts';
import { test } from '../test.ts';
import { type Picture, writeContactSheet } from './contactsheet.ts';

for (const colorScheme of schemes) {
  for (const [name, viewport] of Object.entries(windows)) {
    test.describe(() => {
      test.use({ colorScheme, viewport });

      test(`${name}, ${colorScheme}`, async ({ keywright, page }) => {
        test.setTimeout(180_000);
        await hold(page);
        const pictures: Picture[] = [];
        for (const state of await galleryOf(keywright)) {
          await page.goto(`${keywright.issuer}/dev/pages/${state}`);
          pictures.push([state, await page.screenshot({ fullPage: true })]);
        }
        await writeContactSheet(page, `${name}-${colorScheme}`, pictures);
      });
    });
  }
}
