import { expect, request, type APIRequestContext, type APIResponse } from '@playwright/test';
import type { Person } from './keywright.ts';

/** A browser that knows links, forms and cookies, and nothing else. */
export class FormBrowser {
  readonly #http: APIRequestContext;
  readonly #issuer: string;
  #at = '';
  /** The page that is shown. */
  html = '';
  status = 0;
  /** Where the browser left the issuer to; null: it is still there. */
  left: URL | null = null;
  /** What it posted there: a form post. */
  posted: URLSearchParams | null = null;

  private constructor(http: APIRequestContext, issuer: string) {
    this.#http = http;
    this.#issuer = issuer;
  }

  static async open(issuer: string): Promise<FormBrowser> {
    return new FormBrowser(await request.newContext({ maxRedirects: 0 }), issuer);
  }

  async get(url: URL | string): Promise<this> {
    return this.#follow(String(url), await this.#http.get(String(url)));
  }

  /** Presses a button, by its id, after filling in the fields of its form. */
  async press(button: string, fields: Record<string, string> = {}): Promise<this> {
    const form = this.html.match(/<form[^]*?<\/form>/g)?.find((f) => f.includes(`id="${button}"`));
    if (!form) throw new Error(`no button ${button} on ${this.#at} (${this.status}): ${this.html}`);
    const values: Record<string, string> = {};
    for (const [tag] of form.matchAll(/<input type="hidden"[^>]*>/g)) values[attribute(tag, 'name')!] = attribute(tag, 'value') ?? '';
    const pressed = form.match(new RegExp(`<button[^>]*id="${button}"[^>]*>`))![0];
    if (attribute(pressed, 'name')) values[attribute(pressed, 'name')!] = attribute(pressed, 'value') ?? '';
    const action = new URL(attribute(form, 'action')!, this.#at);
    if (action.origin !== this.#issuer) {
      this.left = action;
      this.posted = new URLSearchParams(values);
      return this;
    }
    return this.#follow(action.href, await this.#http.post(action.href, { form: { ...values, ...fields } }));
  }

  /** Signs in on the page that is shown, and allows what is asked for. */
  async signIn(person: Person): Promise<this> {
    await this.press('sign-in', { email: person.email, password: person.password });
    return this.html.includes('id="allow"') ? this.press('allow') : this;
  }

  /** What came back to an app. */
  answer(redirectURI: string): URL | URLSearchParams {
    if (!this.left) throw new Error(`still on ${this.#at} (${this.status}): ${this.html}`);
    expect(this.left.origin + this.left.pathname).toBe(redirectURI);
    return this.posted ?? this.left;
  }

  async #follow(at: string, response: APIResponse): Promise<this> {
    this.left = this.posted = null;
    const location = response.headers()['location'];
    if (location) {
      const next = new URL(location, at);
      if (next.origin === this.#issuer) return this.get(next);
      this.left = next;
      this.html = '';
      return this;
    }
    [this.#at, this.status, this.html] = [at, response.status(), await response.text()];
    return this;
  }
}

function attribute(tag: string, name: string): string | undefined {
  return tag.match(new RegExp(`\\b${name}="([^"]*)"`))?.[1].replaceAll('&#43;', '+').replaceAll('&amp;', '&');
}
