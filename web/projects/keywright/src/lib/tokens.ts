import type { IDToken } from 'oauth4webapi';

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

/** Whom tokens speak for. */
export interface Identity {
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

/** A sign-in that can be renewed. */
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

/** All of it. */
export const renewableFields: (keyof Renewable)[] = ['session', 'since', 'generation', 'refreshToken', 'subject', 'scope', 'askedScope'];

/** The tokens of a sign-in, at one time. Times are milliseconds of `now`. */
export interface Tokens extends Renewable, Identity {
  readonly accessToken: string;
  /** The last one: it says at sign-out whose session it is. */
  readonly idToken?: string;
  readonly expiresAt: number;
  /** When to get the next ones, before these expire. */
  readonly refreshAt: number;
}

/** A monotonic clock, in milliseconds: nobody sets it. */
export function now(): number {
  return performance.now();
}

/** The same tokens for another tab, whose clock began at another time. */
export function shift(tokens: Tokens, by: number): Tokens {
  return { ...tokens, expiresAt: tokens.expiresAt + by, refreshAt: tokens.refreshAt + by, authenticatedAt: tokens.authenticatedAt + by };
}

/** The first tokens of a new sign-in. */
export function begin(issued: Issued, identity: Identity, askedScope: readonly string[]): Tokens {
  return tokensOf(issued, identity, {
    session: crypto.randomUUID(), since: Date.now(), generation: 0, subject: identity.user.id, scope: askedScope, askedScope,
  });
}

/** The next tokens of a sign-in. */
export function renew(from: Renewable & { idToken?: string }, issued: Issued, identity: Identity): Tokens {
  return tokensOf(issued, identity, { ...from, generation: from.generation + 1 });
}

function tokensOf(issued: Issued, { user, claims, authenticatedAt }: Identity, of: Renewable & { idToken?: string }): Tokens {
  const lifetime = (issued.expiresIn ?? Infinity) * 1000;
  const lead = Math.min(60_000, lifetime / 5) * (1 - Math.random() / 4); // so that not all apps come at once
  return {
    ...of, user, claims, authenticatedAt,
    accessToken: issued.accessToken, refreshToken: issued.refreshToken ?? of.refreshToken, idToken: issued.idToken ?? of.idToken,
    scope: issued.scope?.split(' ') ?? of.scope, expiresAt: now() + lifetime, refreshAt: now() + lifetime - lead,
  };
}
