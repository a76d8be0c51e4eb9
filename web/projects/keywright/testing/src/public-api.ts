import { computed, EnvironmentProviders, inject, Injectable, InjectionToken, makeEnvironmentProviders, signal } from '@angular/core';
import { Claims, Keywright, KeywrightError, SignInOptions, Status, User } from '@keywright/angular';

/** Who is signed in in a test, and with what. */
export interface KeywrightTestingOptions {
  /** Without one nobody is signed in, until the code under test signs in. */
  readonly user?: User;
  readonly claims?: Claims;
  readonly scope?: readonly string[];
  /** URL prefixes whose requests get the token `testing`. */
  readonly apis?: readonly string[];
  /** How many seconds ago the person proved who they are; 0 unless said otherwise. */
  readonly authenticationAge?: number;
  readonly error?: KeywrightError;
  /** As with `withDirectSignIn`. */
  readonly takesPasswords?: boolean;
}

const OPTIONS = new InjectionToken<KeywrightTestingOptions>('options of provideKeywrightTesting');

/** Stands in for Keywright: nobody is asked, nothing is sent. */
@Injectable()
export class KeywrightTesting implements Pick<Keywright, keyof Keywright> {
  readonly #options = inject(OPTIONS);
  readonly #user = signal(this.#options.user);
  readonly #missing = signal<string | undefined>(undefined);

  readonly user = this.#user.asReadonly();
  readonly status = computed<Status>(() => (this.#user() ? 'signed-in' : this.#options.error ? 'failed' : 'signed-out'));
  readonly claims = computed(() => (this.#user() ? this.#options.claims : undefined));
  readonly scope = computed(() => (this.#user() ? (this.#options.scope ?? []) : []));
  readonly askedScope = this.scope;
  readonly error = computed(() => {
    const missing = this.#missing();
    return missing ? new KeywrightError('scope-missing', { reason: missing }) : this.#options.error;
  });
  readonly signInPage = undefined;
  readonly takesPasswords = this.#options.takesPasswords ?? false;
  /** How each sign-in was asked for. */
  readonly signIns: SignInOptions[] = [];

  start(): void {}

  async ready(): Promise<Status> {
    return this.status();
  }

  /** Signs in the options' user, or somebody. */
  async signIn(options: SignInOptions = {}): Promise<boolean> {
    this.signIns.push(options);
    this.#user.set(this.#options.user ?? { id: 'somebody', name: 'Somebody', email: options.email ?? 'somebody@example.com' });
    return true;
  }

  async register(): Promise<boolean> {
    return true;
  }

  async signOut(): Promise<void> {
    this.#user.set(undefined);
  }

  authenticationAge(): number {
    return this.#user() ? (this.#options.authenticationAge ?? 0) : Infinity;
  }

  async accessToken(url: string): Promise<string | undefined> {
    return this.#user() && this.#options.apis?.some((api) => url.startsWith(api)) ? 'testing' : undefined;
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
