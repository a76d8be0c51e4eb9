import type { AuthorizationServer } from 'oauth4webapi';
import { isSafe, requestTimeout } from './config';
import { KeywrightError, KeywrightErrorCode, unreachable } from './error';

/** The issuer, as one client of it sees it. */
export interface Issuer {
  readonly as: AuthorizationServer;
  readonly clientId: string;
}

/** The protocol, which most visitors of an app do not need at once. */
export function protocol() {
  return import('./protocol').catch((cause) => {
    throw new KeywrightError('issuer-unreachable', { cause });
  });
}

/** Fetches the issuer's metadata. OpenID Connect Discovery 1.0 §4. */
export async function discover(issuer: string): Promise<AuthorizationServer> {
  const response = await reach(issuer, send(below(issuer, '.well-known/openid-configuration')));
  const metadata = response.ok ? await response.json().catch(() => undefined) : undefined;
  const named: unknown = metadata?.issuer;
  if (typeof named !== 'string') throw new KeywrightError('issuer-invalid', { found: `${response.url} is not a discovery document` });
  if (named !== issuer) throw new KeywrightError('issuer-mismatch', { reason: named, found: `configured: ${issuer}, but it calls itself ${named}` });
  return metadata;
}

/** An endpoint of the issuer. @throws KeywrightError `issuer-invalid` if others could read what is sent there */
export function endpoint(as: AuthorizationServer, name: 'authorization_endpoint' | 'end_session_endpoint' | 'token_endpoint' | 'userinfo_endpoint'): URL {
  const url = URL.parse(as[name] ?? '');
  if (!isSafe(url)) throw new KeywrightError('issuer-invalid', { found: `${as.issuer} has no https ${name}` });
  return url;
}

/** The URL of an issuer's page; the issuer itself may have a path. */
export function below(issuer: string, path: string): string {
  return `${issuer.replace(/\/$/, '')}/${path}`;
}

/** Waits for an answer; 429 and 5xx are errors. @param throttled the code for 429 */
export async function reach(issuer: string, request: Promise<Response>, throttled: KeywrightErrorCode = 'issuer-unreachable'): Promise<Response> {
  const response = await request.catch((cause) => {
    throw isNetworkFailure(cause) ? unreachable(issuer, cause) : cause;
  });
  const { status } = response;
  if (status < 500 && status !== 429) return response;
  throw new KeywrightError(status === 429 ? throttled : 'issuer-unreachable', { reason: String(status), retryAfter: retryAfter(response), found: `${issuer}: ${status}` });
}

/** Ends whatever hangs on a refresh token. RFC 7009 §2.1. */
export async function revoke({ as, clientId }: Issuer, refreshToken: string): Promise<void> {
  const url = URL.parse(as.revocation_endpoint ?? '');
  if (!isSafe(url)) return;
  const body = new URLSearchParams({ token: refreshToken, client_id: clientId });
  await reach(as.issuer, fetch(url, { method: 'POST', body, ...requestInit() }));
}

/** Of every request to the issuer: no cookies, no redirects, and nothing from the cache, since the page may be about to be left for it. */
export function requestInit(): RequestInit {
  return { cache: 'no-cache', credentials: 'omit', redirect: 'error', signal: AbortSignal.timeout(requestTimeout) };
}

/** Asks an endpoint that speaks JSON. @param token the access token, if it needs one */
export function send(url: string | URL, token?: string, body?: object): Promise<Response> {
  return fetch(url, {
    ...requestInit(), method: body ? 'POST' : 'GET', body: JSON.stringify(body),
    headers: { ...(body && { 'Content-Type': 'application/json' }), ...(token && { Authorization: `Bearer ${token}` }) },
  });
}

function retryAfter(response: Response): number | undefined {
  const seconds = Number(response.headers.get('Retry-After') ?? NaN);
  return Number.isFinite(seconds) ? seconds : undefined;
}

/** fetch rejects with a TypeError of no code, or with the reason of its signal. */
export function isNetworkFailure(cause: unknown): boolean {
  return (cause instanceof TypeError && !('code' in cause)) || (cause instanceof DOMException && /Abort|Timeout/.test(cause.name));
}
