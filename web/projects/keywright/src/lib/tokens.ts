import * as oauth from 'oauth4webapi';
import { KeywrightError } from './error';
import { invalidToken, Issuer, reach, requestOptions, step } from './issuer';

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
  readonly idTokenClaims?: oauth.IDToken;
  /** What was granted; undefined: what was asked for, or what it was before (RFC 6749 §5.1, §6). */
  readonly scope?: string;
  /** In seconds; undefined: unknown. */
  readonly expiresIn?: number;
}

/** A sign-in that can be gone on with. */
export interface Renewable {
  /** Random, and the same through all refreshes of one sign-in. */
  readonly session: string;
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
    session: crypto.randomUUID(), generation: 0, subject: person.user.id, scope: askedScope, askedScope,
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
    session: of.session, generation: of.generation, subject: of.subject, user, claims, authenticatedAt,
    accessToken: issued.accessToken, refreshToken: issued.refreshToken ?? of.refreshToken, idToken: issued.idToken ?? of.idToken,
    scope: issued.scope?.split(' ') ?? of.scope, askedScope: of.askedScope, expiresAt: now() + lifetime, refreshAt: now() + lifetime - lead,
  };
}

/** What the token endpoint answered to a code. OpenID Connect Core §3.1.3. */
export async function redeem(issuer: Issuer, callback: URLSearchParams, redirectUri: string, verifier: string, nonce: string): Promise<Issued> {
  const { as, client } = issuer;
  return step(as.issuer, async () => {
    const request = oauth.authorizationCodeGrantRequest(as, client, oauth.None(), callback, redirectUri, verifier, requestOptions(as));
    const response = await reach(as.issuer, request);
    const answer = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true });
    await verifySignature(as, response);
    await verifyHash(answer, 'at_hash', answer.access_token);
    await verifyHash(answer, 'c_hash', callback.get('code')!);
    return issuedOf(answer);
  });
}

/** Gets the next tokens. An answer that is lost is asked for once more, which the issuer takes for a retry. RFC 6749 §6. */
export async function refresh(issuer: Issuer, { refreshToken, subject }: Renewable): Promise<Issued> {
  const { as, client } = issuer;
  const ask = () => reach(as.issuer, oauth.refreshTokenGrantRequest(as, client, oauth.None(), refreshToken!, requestOptions(as)));
  const issued = await step(as.issuer, async () => {
    const response = await ask().catch(ask);
    const answer = await oauth.processRefreshTokenResponse(as, client, response);
    if (answer.id_token) await verifySignature(as, response);
    await verifyHash(answer, 'at_hash', answer.access_token);
    return issuedOf(answer);
  });
  // OpenID Connect Core §12.2: the same person, whoever asks.
  if (issued.idTokenClaims && issued.idTokenClaims.sub !== subject) throw invalidToken('sub');
  return issued;
}

/** Ends whatever hangs on a refresh token. RFC 7009. */
export async function revoke({ as, client }: Issuer, refreshToken: string): Promise<void> {
  if (!as.revocation_endpoint) return;
  await step(as.issuer, async () => {
    const request = oauth.revocationRequest(as, client, oauth.None(), refreshToken, requestOptions(as));
    await oauth.processRevocationResponse(await reach(as.issuer, request));
  });
}

/** Says whether a refresh was refused for good. */
export function isOver(error: unknown): boolean {
  return error instanceof KeywrightError && error.code === 'token-refused';
}

function issuedOf(answer: oauth.TokenEndpointResponse): Issued {
  return {
    accessToken: answer.access_token, refreshToken: answer.refresh_token, idToken: answer.id_token,
    idTokenClaims: oauth.getValidatedIdTokenClaims(answer), scope: answer.scope, expiresIn: answer.expires_in,
  };
}

/** Keys may have rotated since they were fetched: then they are fetched once more. */
async function verifySignature(as: oauth.AuthorizationServer, response: Response): Promise<void> {
  const verify = (as: oauth.AuthorizationServer) => oauth.validateApplicationLevelSignature(as, response, requestOptions(as));
  await verify(as).catch((error) => {
    if (error.code !== oauth.KEY_SELECTION) throw error;
    return verify({ ...as }); // keys are remembered for each object
  });
}

/** Checks what an ID token says of what came beside it, if it does. OpenID Connect Core §3.1.3.6. */
async function verifyHash({ id_token }: oauth.TokenEndpointResponse, claim: 'at_hash' | 'c_hash', value: string): Promise<void> {
  if (!id_token) return;
  const [header, payload] = id_token.split('.').slice(0, 2).map((part) => JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/'))));
  if (payload[claim] === undefined) return;
  const bits = /\d{3}$/.exec(header.alg)?.[0] ?? '512'; // EdDSA: RFC 8032 §5.1
  const digest = new Uint8Array(await crypto.subtle.digest(`SHA-${bits}`, new TextEncoder().encode(value)));
  if (payload[claim] !== base64url(digest.slice(0, digest.length / 2))) throw invalidToken(claim);
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
