import type { StepName } from './steps';
import type { english } from './texts';

/** An e-mail and a password. */
export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** Somebody who wants an account. */
export interface Registration extends Credentials {
  readonly name: string;
}

/** What a person who is signed in brings back. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken?: string;
  /** Seconds. */
  readonly expiresIn?: number;
}

/** Why somebody could not go on; each has a text. `KeywrightError` has the same codes. */
export const refusals = [
  'credentials-wrong', 'input-invalid', 'too-many-attempts', 'registration-closed', 'origin-refused', 'issuer-invalid', 'issuer-unreachable',
] as const satisfies readonly (keyof typeof english)[];

export interface Refusal {
  readonly kind: 'refused';
  readonly code: (typeof refusals)[number];
  /** Seconds to wait before trying again. */
  readonly retryAfter?: number;
  /** A sentence for each field that is refused; an empty one: the element has its own. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** What came of a step. */
export type Outcome =
  /** The tokens are for the event; whoever keeps them elsewhere leaves them out. */
  | { readonly kind: 'signed-in'; readonly tokens?: Tokens }
  | { readonly kind: 'next'; readonly step: StepName; readonly notice?: keyof typeof english }
  | Refusal;

/** How people sign in. What is expected to fail is an outcome; nothing throws. */
export interface Methods {
  signIn(credentials: Credentials): Promise<Outcome>;
  register(person: Registration): Promise<Outcome>;
  /** Leaves for the issuer's own pages, in the step `redirect`; without it that step leads to `sign-in`. */
  redirect?(): Promise<Outcome>;
}

/** What comes of a registration. The server says the same whether or not the address was taken. */
export const registered: Outcome = { kind: 'next', step: 'sign-in', notice: 'account-ready' };
