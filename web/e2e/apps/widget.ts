import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Keywright } from '../keywright.ts';
import { App, type Answer, type Registration } from './app.ts';

const files: Record<string, [file: string, type: string]> = {
  '/widget.js': ['widget.js', 'text/javascript'],
  '/keywright-angular-element.mjs': ['../../dist/keywright/fesm2022/keywright-angular-element.mjs', 'text/javascript'],
};

export interface WidgetRegistration extends Registration {
  /** Attributes of the element. */
  attributes?: string;
  /** Another issuer than the running one. */
  issuer?: string;
}

/** A page of no framework that has the built `<keywright-sign-in>`, and a content security policy that allows no more than it needs. */
export class WidgetApp extends App {
  #attributes = '';
  #issuer = '';

  static async start(keywright: Keywright, registration: WidgetRegistration): Promise<WidgetApp> {
    const app = new WidgetApp();
    app.#attributes = registration.attributes ?? '';
    app.#issuer = registration.issuer ?? keywright.issuer;
    await app.listen(keywright, registration);
    return app;
  }

  protected kind(): string[] {
    return ['--public'];
  }

  protected override hears(): boolean {
    return false;
  }

  protected async answer({ pathname }: URL): Promise<Answer> {
    if (pathname === '/') return { headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': this.#policy() }, body: this.#page() };
    if (!files[pathname]) return { status: 404 };
    const [file, type] = files[pathname];
    return { headers: { 'Content-Type': type }, body: await readFile(fileURLToPath(new URL(file, import.meta.url))) };
  }

  #policy(): string {
    return `default-src 'none'; script-src 'self'; style-src 'none'; connect-src ${this.#issuer}; form-action 'self'; img-src data:; require-trusted-types-for 'script'`;
  }

  #page(): string {
    return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>A page of no framework</title>
<link rel="icon" href="data:,">
<main>
  <h1>Notes</h1>
  <keywright-sign-in issuer="${this.#issuer}" ${this.#attributes}></keywright-sign-in>
  <p id="person"></p>
</main>
<script type="module" src="/keywright-angular-element.mjs"></script>
<script type="module" src="/widget.js"></script>
</html>`;
  }
}
