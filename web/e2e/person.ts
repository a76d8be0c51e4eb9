import { expect, type Locator, type Page } from '@playwright/test';
import type { Person } from './keywright.ts';

/** Fills in the sign-in page that is shown. */
export async function signIn(page: Page, person: Person): Promise<void> {
  await page.getByLabel('Email address').fill(person.email);
  await page.getByLabel('Password').fill(person.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export async function allow(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Allow', exact: true }).click();
}

/** Presses Tab until a thing has the focus, as people without a mouse do. */
export async function tabTo(target: Locator): Promise<void> {
  await expect(target).toBeEnabled(); // until then Tab passes it by
  for (let i = 0; i < 20; i++) {
    await target.page().keyboard.press('Tab');
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`Tab does not reach ${target}`);
}

/** What an app says about who is signed in. */
export async function expectStatus(page: Page, text: string): Promise<void> {
  await expect(page.getByRole('status')).toHaveText(text);
}
