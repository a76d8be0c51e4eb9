import { Issuer } from './issuer';
import { Issued, Person, Renewable, Tokens } from './tokens';

/** An e-mail and a password, for direct sign-in. */
export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** Somebody who wants an account. */
export interface Registration extends Credentials {
  readonly name: string;
}

/** How to sign in. */
export interface SignInOptions extends Partial<Credentials> {
  /** Where in the app to go then, as the router writes it. Without it: where the guard stopped the person, or where they are. */
  readonly returnTo?: string;
  /** More scopes than the configuration's. */
  readonly scope?: readonly string[];
  /** How many seconds ago the person may have proved who they are. */
  readonly maxAge?: number;
  /** OpenID Connect Core §3.1.2.1; `create` begins with an account: Initiating User Registration via OpenID Connect 1.0 §4. */
  readonly prompt?: 'none' | 'login' | 'consent' | 'select_account' | 'create';
  /** An e-mail address to begin with. */
  readonly loginHint?: string;
  /** Languages for the issuer's pages, as BCP 47 tags. */
  readonly uiLocales?: string;
}

/** A way to sign in. */
export abstract class Flow {
  /** The app's own page for it, as the router writes it; undefined: there is none, the issuer has it. */
  abstract readonly page: string | undefined;
  /** Whether a form of the app itself takes passwords. */
  abstract readonly takesPasswords: boolean;
  /** The issuer as this way's client sees it. */
  abstract issuer(): Promise<Issuer>;
  /**
   * Takes an answer off the address bar, before the router reads it.
   *
   * @returns what finishes that sign-in, given whether the browser knows of somebody; it answers undefined if nobody is signed in
   */
  abstract arrive(): ((known: boolean) => Promise<Tokens | undefined>) | undefined;
  /**
   * Asks whether the issuer still knows the person, without any page.
   *
   * @param known that somebody was signed in in this browser
   * @param stands whether nobody has signed out meanwhile
   */
  abstract restore(known: boolean, stands: () => boolean): Promise<Tokens | undefined>;
  /** @param returnTo a URL of this app */
  abstract signIn(options: SignInOptions, returnTo: string): Promise<Tokens | undefined>;
  abstract register(person: Registration): Promise<void>;
  /** Says who it is that refreshed tokens speak for. */
  abstract person(issued: Issued, of: Renewable): Promise<Person>;
  /** Ends the session at the issuer; our own memory of it is gone already. */
  abstract signOut(tokens: Tokens | undefined): Promise<void>;
}
