import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';

const folder = join(import.meta.dirname, '../../../docs/screenshots');

export type Picture = [name: string, png: Buffer];

/** Writes all pictures on one, each with its name. Playwright writes no WebP, but Chromium does. */
export async function writeContactSheet(page: Page, name: string, pictures: Picture[]): Promise<void> {
  const width = page.viewportSize()!.width / 2;
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
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.webp`), Buffer.from(data, 'base64'));
}
