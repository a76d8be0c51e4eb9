import * as oauth from 'oauth4webapi';
import { isLocal } from './config';
import { KeywrightError, KeywrightErrorCode } from './error';

/** The issuer, as one client of it sees it. */
export interface Issuer {
  readonly as: oauth.AuthorizationServer;
  readonly client: oauth.Client;
}

/**
 * How wrong this device's clock may be, in seconds. An ID token comes straight from the issuer and is bound to
 * its request by the nonce, so its times protect against nothing more.
 */
const clockTolerance = 15 * 60;

/** How long to wait for an answer of the issuer, in milliseconds. */
const patience = 15_000;

export function clientOf(id: string): oauth.Client {
  return { client_id: id, [oauth.clockTolerance]: clockTolerance };
}

/** What every request to the issuer is made with. */
export function requestOptions(as: { issuer: string }) {
  return { [oauth.allowInsecureRequests]: isLocal(new URL(as.issuer)), signal: () => AbortSignal.timeout(patience) };
}

/** Fetches the issuer's metadata. OpenID Connect Discovery 1.0 §4. */
export async function discover(issuer: string): Promise<oauth.AuthorizationServer> {
  const response = await reach(issuer, send(below(issuer, '.well-known/openid-configuration')));
  const metadata = response.ok ? await response.json().catch(() => undefined) : undefined;
  const named: unknown = metadata?.issuer;
  if (typeof named !== 'string') throw new KeywrightError('issuer-invalid', { found: `${response.url} is no discovery document` });
  if (named !== issuer) throw new KeywrightError('issuer-mismatch', { reason: named, found: `configured is ${issuer}, it calls itself ${named}` });
  return metadata;
}

/** The URL of an issuer's page; the issuer itself may have a path. */
export function below(issuer: string, path: string): string {
  return `${issuer.replace(/\/$/, '')}/${path}`;
}

/** Waits for an answer that is neither an outage nor a plea to come later. */
export async function reach(issuer: string, request: Promise<Response>): Promise<Response> {
  const response = await request.catch((cause) => {
    throw explain(issuer, cause);
  });
  if (response.status >= 500 || response.status === 429) {
    throw new KeywrightError('issuer-unreachable', { reason: String(response.status), retryAfter: retryAfter(response), found: `${issuer}: ${response.status}` });
  }
  return response;
}

/** Asks an endpoint that speaks JSON. @param token the access token, if it needs one */
export function send(url: string | URL, token?: string, body?: object): Promise<Response> {
  return fetch(url, {
    method: body ? 'POST' : 'GET', body: JSON.stringify(body), credentials: 'omit', redirect: 'error', signal: AbortSignal.timeout(patience),
    headers: { ...(body && { 'Content-Type': 'application/json' }), ...(token && { Authorization: `Bearer ${token}` }) },
  });
}

export function retryAfter(response: Response): number | undefined {
  const seconds = Number(response.headers.get('Retry-After') ?? NaN);
  return Number.isFinite(seconds) ? seconds : undefined;
}

/** Runs a step of the protocol; whatever it throws becomes a KeywrightError that says what to do. */
export async function step<T>(issuer: string, work: () => Promise<T>): Promise<T> {
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
  if (isNetworkFailure(cause)) return new KeywrightError('issuer-unreachable', { found: issuer, cause });
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
  if (code === oauth.KEY_SELECTION) return 'key';
  if (message.includes('signature')) return 'signature';
  if (/"alg"|JWS algorithm/.test(message)) return 'alg';
  const claim = /^(?:unexpected )?(?:JWT|ID Token) "(\w+)"/.exec(message)?.[1];
  return claim ?? (/JWT|JWE|id_token|not correctly encoded/.test(message) ? 'form' : undefined);
}

/** Refuses an ID token, or what came beside it. */
export function invalidToken(reason: string, cause?: unknown): KeywrightError {
  return new KeywrightError('id-token-invalid', { reason, cause });
}

/** fetch rejects with a TypeError of no code, or with the reason of its signal. */
function isNetworkFailure(cause: unknown): boolean {
  return (cause instanceof TypeError && !('code' in cause)) || (cause instanceof DOMException && /Abort|Timeout/.test(cause.name));
}
