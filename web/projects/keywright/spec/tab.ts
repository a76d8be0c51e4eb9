import { HttpClient, provideHttpClient, withInterceptors } from '@angular/common/http';
import { ApplicationRef, Injector, Provider } from '@angular/core';
import { createApplication } from '@angular/platform-browser';
import { provideRouter, Router, Routes } from '@angular/router';
import { firstValueFrom } from 'rxjs';
import { onTestFinished, vi } from 'vitest';
import { LEAVE } from '../src/lib/redirect';
import {
  Keywright, KeywrightConfigSource, KeywrightFeature, keywrightInterceptor, provideKeywright, withDirectSignIn, withStoredRefreshToken,
} from '../src/public-api';
import { FakeIssuer } from './issuer';

export interface Opening {
  url?: string;
  config?: KeywrightConfigSource;
  features?: KeywrightFeature[];
  routes?: Routes;
  providers?: Provider[];
}

/** An API of the app. */
export const notes = 'https://api.example.com/notes';
export const ada = { email: 'ada@example.com', password: 'right' };

export const basic = { issuer: 'https://id.example.com', clientId: 'app', apis: [notes, '/api'] };
export const direct = { config: { issuer: 'https://id.example.com', apis: [notes] }, features: [withDirectSignIn()] };
export const storing = { ...direct, features: [withDirectSignIn(), withStoredRefreshToken()] };

/** The page was left for another one, which may take its place in the history. */
interface Departure {
  readonly to: URL;
  readonly replace: boolean;
}

/** The app in a tab of a browser. To reload is to close it and to open another. */
export class Tab {
  readonly #app: ApplicationRef;
  readonly #left: Departure[];
  /** Whether the page that it was left for last took its place in the history. */
  replaced?: boolean;

  private constructor(app: ApplicationRef, left: Departure[]) {
    this.#app = app;
    this.#left = left;
  }

  static async open({ url = '/', config = basic, features = [], routes = [], providers = [] }: Opening = {}): Promise<Tab> {
    history.replaceState(null, '', url);
    const left: Departure[] = [];
    const app = await createApplication({
      providers: [
        provideRouter(routes),
        provideHttpClient(withInterceptors([keywrightInterceptor])),
        { provide: LEAVE, useValue: (to: URL, replace: boolean) => void left.push({ to, replace }) },
        provideKeywright(config, ...features),
        ...providers,
      ],
    });
    const tab = new Tab(app, left);
    onTestFinished(() => tab.close());
    return tab;
  }

  get injector(): Injector {
    return this.#app.injector;
  }

  get keywright(): Keywright {
    return this.injector.get(Keywright);
  }

  get router(): Router {
    return this.injector.get(Router);
  }

  get wasLeft(): boolean {
    return this.#left.length > 0;
  }

  /** Waits until the page is left for another one. */
  async leaves(): Promise<URL> {
    await vi.waitFor(() => {
      if (!this.wasLeft) throw new Error(`the page was not left: ${this.keywright.error()}`);
    });
    const { to, replace } = this.#left.pop()!;
    this.replaced = replace;
    return to;
  }

  get(url: string): Promise<{ token?: string }> {
    return firstValueFrom(this.injector.get(HttpClient).get<{ token?: string }>(url));
  }

  close(): void {
    if (!this.#app.destroyed) this.#app.destroy();
  }
}

/** Signs in at the issuer, and comes back. */
export async function signedIn(issuer: FakeIssuer, opening: Opening = {}, changes: Record<string, string | null> = {}): Promise<Tab> {
  const tab = await Tab.open(opening);
  void tab.keywright.signIn();
  const request = await tab.leaves();
  tab.close();
  const back = await Tab.open({ ...opening, url: issuer.authorize(request, changes).href });
  await back.keywright.ready();
  return back;
}

const rightNow = performance.now.bind(performance);

/** Lets so many seconds pass, by the clock that nobody sets, until the test ends or calls it again. */
export function later(seconds: number): void {
  vi.spyOn(performance, 'now').mockImplementation(() => rightNow() + seconds * 1000);
}
