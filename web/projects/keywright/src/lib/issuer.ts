import type { AuthorizationServer } from 'oauth4webapi';
import { isSafe, patience } from './config';
import { KeywrightError, KeywrightErrorCode } from './error';

/** The issuer, as one client of it sees it. */
export interface Issuer {
  readonly as: AuthorizationServer;
  readonly clientId: string;
}

/** The protocol, which most visitors of an app do not need at once. */
export function protocol() {
  return import('./protocol').catch((cause) => {
    throw new KeywrightError('issuer-unreachable', { found: 'a chunk did not load', cause });
  });
}

/** Fetches the issuer's metadata. OpenID Connect Discovery 1.0 §4. */
export async function discover(issuer: string): Promise<AuthorizationServer> {
  const response = await reach(issuer, send(below(issuer, '.well-known/openid-configuration')));
  const metadata = response.ok ? await response.json().catch(() => undefined) : undefined;
  const named: unknown = metadata?.issuer;
  if (typeof named !== 'string') throw new KeywrightError('issuer-invalid', { found: `${response.url} is no discovery document` });
  if (named !== issuer) throw new KeywrightError('issuer-mismatch', { reason: named, found: `configured is ${issuer}, it calls itself ${named}` });
  return metadata;
}

/** An endpoint of the issuer. @throws KeywrightError `issuer-invalid` if others could read what is sent there */
export function endpoint(as: AuthorizationServer, name: 'authorization_endpoint' | 'end_session_endpoint' | 'token_endpoint' | 'userinfo_endpoint'): URL {
  const url = URL.parse(as[name] ?? '');
  if (!isSafe(url)) throw new KeywrightError('issuer-invalid', { found: `${as.issuer} names no safe ${name}` });
  return url;
}

/** The URL of an issuer's page; the issuer itself may have a path. */
export function below(issuer: string, path: string): string {
  return `${issuer.replace(/\/$/, '')}/${path}`;
}

/** Waits for an answer that is neither an outage nor a plea to come later. @param plea how to call the latter */
export async function reach(issuer: string, request: Promise<Response>, plea: KeywrightErrorCode = 'issuer-unreachable'): Promise<Response> {
  const response = await request.catch((cause) => {
    throw isNetworkFailure(cause) ? unreachable(issuer, cause) : cause;
  });
  const { status } = response;
  if (status < 500 && status !== 429) return response;
  throw new KeywrightError(status === 429 ? plea : 'issuer-unreachable', { reason: String(status), retryAfter: retryAfter(response), found: `${issuer}: ${status}` });
}

/** Ends whatever hangs on a refresh token. RFC 7009 §2.1. */
export async function revoke({ as, clientId }: Issuer, refreshToken: string): Promise<void> {
  const url = URL.parse(as.revocation_endpoint ?? '');
  if (!isSafe(url)) return;
  const body = new URLSearchParams({ token: refreshToken, client_id: clientId });
  await reach(as.issuer, fetch(url, { method: 'POST', body, ...plain() }));
}

/** How the issuer is asked: itself, and no cache, since the page may be about to be left for it. Without cookies, and it does not send us on. */
export function plain(): RequestInit {
  return { cache: 'no-cache', credentials: 'omit', redirect: 'error', signal: AbortSignal.timeout(patience) };
}

/** Asks an endpoint that speaks JSON. @param token the access token, if it needs one */
export function send(url: string | URL, token?: string, body?: object): Promise<Response> {
  return fetch(url, {
    ...plain(), method: body ? 'POST' : 'GET', body: JSON.stringify(body),
    headers: { ...(body && { 'Content-Type': 'application/json' }), ...(token && { Authorization: `Bearer ${token}` }) },
  });
}

function retryAfter(response: Response): number | undefined {
  const seconds = Number(response.headers.get('Retry-After') ?? NaN);
  return Number.isFinite(seconds) ? seconds : undefined;
}

export function unreachable(issuer: string, cause: unknown): KeywrightError {
  return new KeywrightError('issuer-unreachable', { found: issuer, cause });
}

/** fetch rejects with a TypeError of no code, or with the reason of its signal. */
export function isNetworkFailure(cause: unknown): boolean {
  return (cause instanceof TypeError && !('code' in cause)) || (cause instanceof DOMException && /Abort|Timeout/.test(cause.name));
}

/** Refuses an ID token, or what came beside it. */
export function invalidToken(reason: string, cause?: unknown): KeywrightError {
  return new KeywrightError('id-token-invalid', { reason, cause });
}
