import { expect, type Page } from '@playwright/test';
import type { Keywright } from './keywright.ts';

/** A window that the pages are looked at in. */
export const windows = {
  phone: { width: 390, height: 844 },
  desktop: { width: 1280, height: 800 },
};

export const schemes = ['light', 'dark'] as const;

/** The names of every page in every state. */
export async function galleryOf(keywright: Keywright): Promise<string[]> {
  const index = await (await fetch(keywright.issuer + '/dev/pages')).text();
  const names = [...index.matchAll(/\/dev\/pages\/([\w-]+)/g)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(40);
  return names;
}

/** Lets the sample pages stay: one submits itself, one goes on to an app that does not exist. */
export async function hold(page: Page): Promise<void> {
  await page.route('**/form-post.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
  await page.route('https://**', (route) => route.fulfill({ status: 204 }));
}
