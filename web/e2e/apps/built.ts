import { readFile } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import type { Keywright } from '../keywright.ts';
import { App, type Answer, type Registration } from './app.ts';

const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' };

export interface BuiltRegistration extends Registration {
  /** A folder, by its name in web/dist or its whole path. */
  app?: string;
  /** Its components have styles of their own, which Angular puts into the page. */
  inlineStyles?: boolean;
  /** Over what the app is told at its start. */
  settings?: Record<string, unknown>;
}

/** The demo, or the second app, as it was built: a public client at an origin of its own, of any site. */
export class BuiltApp extends App {
  /** What /keywright.json answers. */
  settings: Record<string, unknown> = {};
  /** Answers instead of a file, if it wants to. */
  instead: (url: URL) => Answer | undefined = () => undefined;
  #folder = '';
  #styles = "'self'";

  static async start(keywright: Keywright, registration: BuiltRegistration): Promise<BuiltApp> {
    const app = new BuiltApp();
    app.#folder = resolve(process.env.E2E_DIST ?? join(import.meta.dirname, '../../dist'), registration.app ?? 'demo');
    if (registration.inlineStyles) app.#styles += " 'unsafe-inline'";
    const { client_id } = await app.listen(keywright, registration);
    app.settings = { issuer: keywright.issuer, clientId: client_id, ...registration.settings };
    return app;
  }

  protected kind(): string[] {
    return ['--public'];
  }

  protected override hears(): boolean {
    return false;
  }

  protected async answer(url: URL): Promise<Answer> {
    const { headers, ...answer } = this.instead(url) ?? (await this.#file(url.pathname));
    return { ...answer, headers: { 'Content-Security-Policy': this.#policy(), ...headers } };
  }

  /** What `keywright dev --demo` sends; an API of a test may lead elsewhere on this machine. */
  #policy(): string {
    const { issuer, api } = this.settings;
    return `default-src 'none'; script-src 'self'; style-src ${this.#styles}; ` + "img-src 'self' data:; font-src 'self'; base-uri 'self'; "
      + `form-action 'self'; frame-ancestors 'none'; connect-src 'self' ${issuer} ${api ? `${api} http://localhost:*` : ''}`;
  }

  async #file(pathname: string): Promise<Answer> {
    if (pathname === '/keywright.json') return { headers: { 'Content-Type': types['.json'] }, body: JSON.stringify(this.settings) };
    const name = extname(pathname) ? pathname : 'index.html'; // routes are the app's
    try {
      return { headers: { 'Content-Type': types[extname(name)] ?? 'application/octet-stream' }, body: await readFile(join(this.#folder, name)) };
    } catch {
      return { status: 404 };
    }
  }
}
