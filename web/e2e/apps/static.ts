import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Keywright } from '../keywright.ts';
import { App, type Answer, type Registration } from './app.ts';

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const files: Record<string, [file: string, type: string]> = {
  '/': [here('index.html'), 'text/html'],
  '/callback': [here('index.html'), 'text/html'],
  '/frontchannel-logout': [here('frontchannel-logout.html'), 'text/html'],
  '/app.js': [here('app.js'), 'text/javascript'],
  '/oauth4webapi.js': [fileURLToPath(import.meta.resolve('oauth4webapi')), 'text/javascript'],
};

/** A page without a server of its own: a public client, which reads answers across origins. */
export class StaticApp extends App {
  #settings = '';

  static async start(keywright: Keywright, registration: Registration): Promise<StaticApp> {
    const app = new StaticApp();
    const { client_id } = await app.listen(keywright, registration);
    app.#settings = JSON.stringify({ issuer: keywright.issuer, client_id });
    return app;
  }

  protected kind(): string[] {
    return ['--public', '--origin', this.origin];
  }

  protected async answer({ pathname }: URL): Promise<Answer> {
    if (pathname === '/settings.json') return { headers: { 'Content-Type': 'application/json' }, body: this.#settings };
    if (pathname === '/backchannel-logout') return {};
    if (!files[pathname]) return { status: 404 };
    const [file, type] = files[pathname];
    return { headers: { 'Content-Type': type, 'Cache-Control': 'no-store' }, body: await readFile(file) };
  }
}
