import { defineConfig } from '@playwright/test';

/** Debian's Chromium, which may run as root here. */
const launchOptions = {
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
};

export default defineConfig<{ host: string }>({
  outputDir: './results',
  globalTimeout: 15 * 60_000,
  globalSetup: './build.ts',
  fullyParallel: true,
  forbidOnly: true,
  workers: 2,
  timeout: 60_000,
  retries: 1, // browsers depend on what else the machine does; make test names what needed a second try, and takes two of them at most
  expect: { timeout: 15_000 },
  reporter: [['list'], ['./gotest.ts']],
  use: { launchOptions, colorScheme: 'light', locale: 'en' },
  projects: [
    { name: 'tests', testDir: './tests' },
    { name: 'app.localhost', testDir: './tests', grep: [/angular\.spec/, /@sites/], use: { host: 'app.localhost' } },
    { name: 'screenshots', testDir: './screenshots' },
  ],
});
