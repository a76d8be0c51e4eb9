import * as oauth from 'oauth4webapi';
import { isLocal, requestTimeout } from './config';
import { invalidToken, KeywrightError, KeywrightErrorCode, unreachable } from './error';
import { endpoint, isNetworkFailure, Issuer, reach } from './issuer';
import { fromBase64url, verifySignature } from './signature';
import { Issued, Renewable } from './tokens';

// All that needs oauth4webapi. It is loaded when somebody signs in, or was signed in before.

/**
 * How wrong this device's clock may be, in seconds. An ID token comes straight from the issuer and is bound to
 * its request by the nonce, so its times protect against nothing more.
 */
const clockTolerance = 15 * 60;

/** What binds an answer to its question: RFC 6749 §10.12, OpenID Connect Core §3.1.2.1, RFC 7636 §4.1. */
export interface Secrets {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export function newSecrets(): Secrets {
  return { state: oauth.generateRandomState(), nonce: oauth.generateRandomNonce(), verifier: oauth.generateRandomCodeVerifier() };
}

/** RFC 7636 §4.2, by S256. */
export const challengeOf = oauth.calculatePKCECodeChallenge;

/** Redeems the code of an answer, if it is one to the question that the secrets are of. OpenID Connect Core §3.1.3. */
export async function redeem(issuer: Issuer, answer: URLSearchParams, redirectUri: string, { state, nonce, verifier }: Secrets): Promise<Issued> {
  const { as } = issuer;
  const client = clientOf(issuer);
  return step(as.issuer, async () => {
    const callback = oauth.validateAuthResponse(as, client, answer, state);
    const request = oauth.authorizationCodeGrantRequest(as, client, oauth.None(), callback, redirectUri, verifier, optionsFor(as));
    const response = await reach(as.issuer, request);
    const issued = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true });
    return validate(issuer, issued, callback.get('code')!);
  });
}

/** Gets the next tokens. An answer that is lost is asked for once more, which the issuer takes for a retry. RFC 6749 §6. */
export async function refresh(issuer: Issuer, { refreshToken, subject }: Renewable): Promise<Issued> {
  const { as } = issuer;
  const client = clientOf(issuer);
  const ask = () => oauth.refreshTokenGrantRequest(as, client, oauth.None(), refreshToken!, optionsFor(as));
  const issued = await step(as.issuer, async () => {
    const response = await reach(as.issuer, ask().catch((cause) => (isNetworkFailure(cause) ? ask() : Promise.reject(cause))));
    const answer = await oauth.processRefreshTokenResponse(as, client, response);
    return validate(issuer, answer);
  });
  // OpenID Connect Core §12.2: the same person, whoever asks.
  if (issued.idTokenClaims && issued.idTokenClaims.sub !== subject) throw invalidToken('sub');
  return issued;
}

/** Checks of an ID token what oauth4webapi does not. @param code what it was issued for */
async function validate({ as, clientId }: Issuer, answer: oauth.TokenEndpointResponse, code?: string): Promise<Issued> {
  const { access_token: accessToken, refresh_token: refreshToken, id_token: idToken, scope, expires_in: expiresIn } = answer;
  const idTokenClaims = oauth.getValidatedIdTokenClaims(answer);
  if (idTokenClaims) {
    await verifySignature(as, idToken!);
    if (!idTokenClaims.sub) throw invalidToken('sub');
    if ((idTokenClaims.azp ?? clientId) !== clientId) throw invalidToken('azp'); // OpenID Connect Core §3.1.3.7
    await verifyHash(idToken!, 'at_hash', accessToken);
    await verifyHash(idToken!, 'c_hash', code);
  }
  return { accessToken, refreshToken, idToken, idTokenClaims, scope, expiresIn };
}

/** Checks what an ID token says of what came beside it, if it does. OpenID Connect Core §3.1.3.6. */
async function verifyHash(idToken: string, claim: 'at_hash' | 'c_hash', value = ''): Promise<void> {
  const [header, payload] = idToken.split('.').slice(0, 2).map((part) => JSON.parse(fromBase64url(part)));
  if (payload[claim] === undefined) return;
  const bits = /\d{3}$/.exec(header.alg)?.[0] ?? '512'; // EdDSA: RFC 8032 §5.1
  const digest = new Uint8Array(await crypto.subtle.digest(`SHA-${bits}`, new TextEncoder().encode(value)));
  if (payload[claim] !== base64url(digest.slice(0, digest.length / 2))) throw invalidToken(claim);
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function clientOf({ clientId }: Issuer): oauth.Client {
  return { client_id: clientId, [oauth.clockTolerance]: clockTolerance };
}

/** What every request to the issuer is made with. */
function optionsFor(as: oauth.AuthorizationServer) {
  return { [oauth.allowInsecureRequests]: isLocal(endpoint(as, 'token_endpoint')), signal: () => AbortSignal.timeout(requestTimeout) };
}

/** Runs a step of the protocol; whatever it throws becomes a KeywrightError that says what to do. */
async function step<T>(issuer: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw explain(issuer, cause);
  }
}

function explain(issuer: string, cause: unknown): KeywrightError {
  if (cause instanceof KeywrightError) return cause;
  if (cause instanceof oauth.AuthorizationResponseError) return refused('sign-in-refused', cause);
  if (cause instanceof oauth.ResponseBodyError) return refused('token-refused', cause);
  if (isNetworkFailure(cause)) return unreachable(issuer, cause);
  return explainProtocol(issuer, cause as ProtocolError);
}

function refused(code: KeywrightErrorCode, cause: oauth.AuthorizationResponseError | oauth.ResponseBodyError): KeywrightError {
  const { error: reason, error_description: why } = cause;
  return new KeywrightError(code, { reason, found: why ? `${reason}: ${why}` : reason, cause });
}

/** What oauth4webapi throws. */
type ProtocolError = Error & { code?: string; cause?: { claim?: string } };

function explainProtocol(issuer: string, cause: ProtocolError): KeywrightError {
  if (/"iss" \(issuer\) (response|missing)/.test(cause.message)) return new KeywrightError('issuer-mismatch', { cause }); // RFC 9207 §2.4
  const defect = defectOf(cause);
  return defect ? invalidToken(defect, cause) : new KeywrightError('issuer-invalid', { found: `${issuer}: ${cause.message}`, cause });
}

/** Names what is wrong with an ID token, if that is what is wrong. */
function defectOf({ code, message, cause }: ProtocolError): string | undefined {
  if (code === oauth.JWT_CLAIM_COMPARISON || code === oauth.JWT_TIMESTAMP_CHECK) return cause?.claim;
  if (/"alg"|JWS algorithm/.test(message)) return 'alg';
  const claim = /^(?:unexpected )?(?:JWT|ID Token) "(\w+)"/.exec(message)?.[1];
  return claim ?? (/JWT|JWE|id_token|not correctly encoded/.test(message) ? 'form' : undefined);
}
