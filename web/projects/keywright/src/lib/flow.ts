import { Issuer } from './issuer';
import { Identity, Issued, Renewable, Tokens } from './tokens';

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
  /** How long ago, in seconds, the person may have proved who they are: `max_age`. */
  readonly maxAge?: number;
  /** OpenID Connect Core §3.1.2.1; `create` begins with an account: Initiating User Registration via OpenID Connect 1.0 §4. */
  readonly prompt?: 'none' | 'login' | 'consent' | 'select_account' | 'create';
  /** An e-mail address to begin with. */
  readonly loginHint?: string;
  /** Languages of the issuer's pages: BCP 47 tags, best first, separated by spaces. */
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
   * @returns what finishes that sign-in, given whether somebody has signed out in this browser; it answers undefined if
   * nobody is signed in
   */
  abstract arrive(): ((signedOut: boolean) => Promise<Tokens | undefined>) | undefined;
  /**
   * Asks whether the issuer still knows the person, without any page.
   *
   * @param wasSignedIn that somebody was, in this browser
   * @param isCurrent whether nobody has signed out meanwhile
   */
  abstract restore(wasSignedIn: boolean, isCurrent: () => boolean): Promise<Tokens | undefined>;
  /**
   * @param returnTo a URL of this app
   * @param shown whether a page of the app was, to which the back button may lead
   */
  abstract signIn(options: SignInOptions, returnTo: string, shown: boolean): Promise<Tokens | undefined>;
  abstract register(person: Registration): Promise<void>;
  /** Says whom refreshed tokens speak for. */
  abstract identify(issued: Issued, of: Renewable): Promise<Identity>;
  /** Ends the session at the issuer; our own memory of it is gone already. */
  abstract signOut(tokens: Partial<Tokens> | null | undefined): Promise<void>;
}
