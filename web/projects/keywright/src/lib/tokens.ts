import type { IDToken } from 'oauth4webapi';
import { KeywrightError } from './error';

/** Somebody who is signed in. */
export interface User {
  /** Stays the same for ever: the issuer's `sub`. */
  readonly id: string;
  readonly name?: string;
  readonly email?: string;
}

/** What the issuer says of the person: the ID token's claims, and UserInfo's. */
export interface Claims {
  readonly sub: string;
  readonly [claim: string]: unknown;
}

/** The person that tokens speak for. */
export interface Person {
  readonly user: User;
  readonly claims?: Claims;
  /** When they proved who they are, in milliseconds of `now`; -Infinity where nobody knows. */
  readonly authenticatedAt: number;
}

/** What the token endpoint has answered, verified. */
export interface Issued {
  readonly accessToken: string;
  readonly refreshToken?: string;
  readonly idToken?: string;
  readonly idTokenClaims?: IDToken;
  /** What was granted; undefined: what was asked for, or what it was before (RFC 6749 §5.1, §6). */
  readonly scope?: string;
  /** In seconds; undefined: unknown. */
  readonly expiresIn?: number;
}

/** A sign-in that can be gone on with. */
export interface Renewable {
  /** Random, and the same through all refreshes of one sign-in. */
  readonly session: string;
  /** When the sign-in was, by the clock of this device: it tells what was before a sign-out, and nothing more. */
  readonly since: number;
  /** Grows by one with each refresh. */
  readonly generation: number;
  readonly refreshToken?: string;
  /** Whose it is. */
  readonly subject: string;
  /** What was granted. */
  readonly scope: readonly string[];
  readonly askedScope: readonly string[];
}

/** The tokens of a sign-in, at one time. Times are milliseconds of `now`. */
export interface Tokens extends Renewable, Person {
  readonly accessToken: string;
  /** The last one: it says at sign-out whose session it is. */
  readonly idToken?: string;
  readonly expiresAt: number;
  /** When to get the next ones, before these expire. */
  readonly refreshAt: number;
}

/** Milliseconds of a clock that nobody sets. */
export function now(): number {
  return performance.now();
}

/** The same tokens for another tab, whose clock began at another time. */
export function shift(tokens: Tokens, by: number): Tokens {
  return { ...tokens, expiresAt: tokens.expiresAt + by, refreshAt: tokens.refreshAt + by, authenticatedAt: tokens.authenticatedAt + by };
}

/** The first tokens of a new sign-in. */
export function begin(issued: Issued, person: Person, askedScope: readonly string[]): Tokens {
  return tokensOf(issued, person, {
    session: crypto.randomUUID(), since: Date.now(), generation: 0, subject: person.user.id, scope: askedScope, askedScope,
  });
}

/** The next tokens of a sign-in. */
export function goOn(from: Renewable & { idToken?: string }, issued: Issued, person: Person): Tokens {
  return tokensOf(issued, person, { ...from, generation: from.generation + 1 });
}

function tokensOf(issued: Issued, { user, claims, authenticatedAt }: Person, of: Renewable & { idToken?: string }): Tokens {
  const lifetime = (issued.expiresIn ?? Infinity) * 1000;
  const lead = Math.min(60_000, lifetime / 5) * (1 - Math.random() / 4); // so that not all apps come at once
  return {
    ...of, user, claims, authenticatedAt,
    accessToken: issued.accessToken, refreshToken: issued.refreshToken ?? of.refreshToken, idToken: issued.idToken ?? of.idToken,
    scope: issued.scope?.split(' ') ?? of.scope, expiresAt: now() + lifetime, refreshAt: now() + lifetime - lead,
  };
}

/** Says whether a refresh was refused for good. */
export function isOver(error: unknown): boolean {
  return error instanceof KeywrightError && error.code === 'token-refused' && error.reason !== 'temporarily_unavailable';
}
