import {
  computed, DOCUMENT, EnvironmentProviders, inject, Injectable, InjectionToken, Injector, makeEnvironmentProviders, signal,
} from '@angular/core';
import { Router } from '@angular/router';
import { Claims, Keywright, KeywrightError, Registration, SignInOptions, Status, User, ɵBASE_URL as BASE_URL, ɵisApi as isApi } from '@keywright/angular';

/** Who is signed in in a test, and with what. */
export interface KeywrightTestingOptions {
  /** Without one nobody is signed in. */
  readonly user?: User;
  readonly claims?: Claims;
  readonly scope?: readonly string[];
  /** URLs whose requests get the token `testing`, as those of the configuration do. */
  readonly apis?: readonly string[];
  /** How many seconds ago the person proved who they are; 0 unless said otherwise. */
  readonly authenticationAge?: number;
  readonly error?: KeywrightError;
  /** As with `withDirectSignIn`: `signIn` takes any e-mail and password. */
  readonly takesPasswords?: boolean;
  /** The app's page where people sign in; with `takesPasswords` it is `/login` unless said otherwise. */
  readonly signInPage?: string;
}

const OPTIONS = new InjectionToken<KeywrightTestingOptions>('options of provideKeywrightTesting');

/** Stands in for Keywright: nobody is asked, nothing is sent. */
@Injectable()
export class KeywrightTesting implements Pick<Keywright, keyof Keywright> {
  readonly #options = inject(OPTIONS);
  readonly #base = inject(BASE_URL);
  readonly #document = inject(DOCUMENT);
  readonly #injector = inject(Injector);
  readonly #user = signal(this.#options.user);
  readonly #missing = signal<string | undefined>(undefined);
  #authenticationAge = this.#options.authenticationAge ?? 0;

  readonly user = this.#user.asReadonly();
  readonly status = computed<Status>(() => (this.#user() ? 'signed-in' : this.#options.error ? 'failed' : 'signed-out'));
  readonly claims = computed(() => (this.#user() ? this.#options.claims : undefined));
  readonly scope = computed(() => (this.#user() ? (this.#options.scope ?? []) : []));
  readonly askedScope = this.scope;
  readonly error = computed(() => {
    const missing = this.#missing();
    return missing ? new KeywrightError('scope-missing', { reason: missing }) : this.#options.error;
  });
  readonly takesPasswords = this.#options.takesPasswords ?? false;
  readonly signInPage = this.#options.signInPage ?? (this.takesPasswords ? '/login' : undefined);
  /** How each sign-in was asked for, in order. */
  readonly signIns: SignInOptions[] = [];

  start(): void {}

  async ready(): Promise<Status> {
    return this.status();
  }

  /** Records the request. With `takesPasswords`, any e-mail and password sign in: the options' user, or somebody. */
  async signIn(options: SignInOptions = {}): Promise<boolean> {
    this.signIns.push(options);
    const router = this.#injector.get(Router);
    if (!this.takesPasswords) {
      router.currentNavigation()?.abort(); // as it ends where the page is left
      return false;
    }
    const { email, password } = options;
    if (email === undefined || password === undefined) return this.#user() !== undefined;
    this.#authenticationAge = 0;
    this.#user.set(this.#options.user ?? { id: 'somebody', name: 'Somebody', email });
    const deepLink: unknown = options.returnTo ?? router.parseUrl(router.url).queryParams['returnTo'];
    if (typeof deepLink === 'string') await router.navigateByUrl(deepLink);
    return true;
  }

  /** Accepts whom it is given, with `takesPasswords`. */
  async register(_: Registration): Promise<boolean> {
    return this.takesPasswords;
  }

  async signOut(): Promise<void> {
    this.#user.set(undefined);
  }

  authenticationAge(): number {
    return this.#user() ? this.#authenticationAge : Infinity;
  }

  async accessToken(url: string): Promise<string | undefined> {
    return this.#user() && isApi(url, this.#options.apis, this.#base, this.#document.baseURI) ? 'testing' : undefined;
  }

  async nextAccessToken(): Promise<undefined> {}

  lacks(scope: string): void {
    this.#missing.set(scope);
  }
}

/** Lets tests begin with somebody signed in, or with nobody: `provideKeywrightTesting({ user: { id: '1', name: 'Ada' } })`. */
export function provideKeywrightTesting(options: KeywrightTestingOptions = {}): EnvironmentProviders {
  return makeEnvironmentProviders([{ provide: OPTIONS, useValue: options }, KeywrightTesting, { provide: Keywright, useExisting: KeywrightTesting }]);
}
