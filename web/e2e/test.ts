import { expect, test as base, type BrowserContext } from '@playwright/test';
import type { App, Registration } from './apps/app.ts';
import { Keywright } from './keywright.ts';

export { expect };

/** Starts a server of the test's own, until the test ends. */
type Serve = (...options: Parameters<typeof Keywright.start>) => Promise<Keywright>;

/** Starts an app that is registered at the server, or at one of the test's own, until the test ends. */
type Start = <T extends App, R extends Registration>(
  kind: { start(keywright: Keywright, registration: R): Promise<T> }, registration: R, server?: Keywright,
) => Promise<T>;

/**
 * Every test has a running server, and fails on anything that a browser
 * complains of: an error in the console, a violated content security policy, an
 * uncaught exception, a dialog. What a test provokes it names: `test.use({ provoked: /…/ })`.
 * Apps are at `host`: the issuer's own site or, to a test that has both, another one.
 */
export const test = base.extend<{ complaints: string[]; provoked: RegExp; host: string; serve: Serve; start: Start }, { keywright: Keywright }>({
  keywright: [
    async ({}, use) => {
      const keywright = await Keywright.start();
      await use(keywright);
      await keywright.stop();
    },
    { scope: 'worker' },
  ],
  host: ['localhost', { option: true }],
  serve: async ({}, use) => {
    const servers: Keywright[] = [];
    await use(async (...options) => {
      const server = await Keywright.start(...options);
      servers.push(server);
      return server;
    });
    for (const server of servers) await server.stop();
  },
  start: async ({ keywright, host }, use) => {
    const apps: App[] = [];
    await use(async (kind, registration, server = keywright) => {
      const app = await kind.start(server, { host, ...registration });
      apps.push(app);
      return app;
    });
    for (const app of apps) await app.stop();
  },
  complaints: async ({}, use) => use([]),
  provoked: [/status of (400|403|422|429)/, { option: true }], // Chromium reports each page that says that a form was refused
  context: async ({ context, complaints, provoked }, use) => {
    await listen(context, complaints, provoked);
    await use(context);
    expect(complaints).toEqual([]);
  },
});

async function listen(context: BrowserContext, complaints: string[], provoked: RegExp): Promise<void> {
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error(`CSP: ${e.violatedDirective} ${e.blockedURI}`));
  });
  context.on('console', (message) => {
    if (message.type() === 'error' && !provoked.test(message.text())) complaints.push(`${message.text()} (${message.location().url})`);
  });
  context.on('weberror', (e) => complaints.push(String(e.error())));
  context.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
}
