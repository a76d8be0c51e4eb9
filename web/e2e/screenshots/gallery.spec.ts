import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { galleryOf, hold, schemes, windows } from '../gallery.ts';
import { test } from '../test.ts';

const folder = join(import.meta.dirname, '../../../docs/screenshots');

for (const colorScheme of schemes) {
  for (const [name, viewport] of Object.entries(windows)) {
    test.describe(() => {
      test.use({ colorScheme, viewport });

      test(`${name}, ${colorScheme}`, async ({ keywright, page }) => {
        test.setTimeout(180_000);
        await hold(page);
        const pictures: [name: string, png: Buffer][] = [];
        for (const state of await galleryOf(keywright)) {
          await page.goto(`${keywright.issuer}/dev/pages/${state}`);
          pictures.push([state, await page.screenshot({ fullPage: true })]);
        }
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, `${name}-${colorScheme}.webp`), await contactSheet(page, viewport.width / 2, pictures));
      });
    });
  }
}

/** All pictures on one, each with its name. Playwright writes no WebP, but Chromium does. */
async function contactSheet(page: Page, width: number, pictures: [name: string, png: Buffer][]): Promise<Buffer> {
  const columns = Math.round(3200 / width);
  await page.goto('about:blank'); // whose content security policy allows it
  const figures = pictures.map(([name, png]) =>
    `<figure><figcaption>${name}</figcaption><img width="${width}" src="data:image/png;base64,${png.toString('base64')}"></figure>`);
  await page.setViewportSize({ width: columns * (width + 16) + 16, height: 100 });
  await page.setContent(`<!doctype html><style>
    body { columns: ${columns}; column-gap: 16px; margin: 16px; background: #888; color: #000; font: 14px sans-serif; }
    figure { margin: 0 0 16px; break-inside: avoid; }
    figcaption { margin: 0 0 4px; }
    img { display: block; }
  </style>${figures.join('')}`);
  const chromium = await page.context().newCDPSession(page);
  const { data } = await chromium.send('Page.captureScreenshot', { format: 'webp', quality: 70, captureBeyondViewport: true });
  return Buffer.from(data, 'base64');
}
