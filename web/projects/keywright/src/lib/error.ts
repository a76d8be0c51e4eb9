declare const ngDevMode: unknown;

/** What to do about each failure. Production builds leave the texts out, and name the page that has them. */
const advice =
  typeof ngDevMode === 'undefined' || ngDevMode
    ? ({
        'config-invalid': 'The configuration given to provideKeywright cannot work: fix it.',
        'issuer-unreachable': 'The issuer does not answer this page: is it running, and is this origin registered for the client (CORS)? Offer to try again.',
        'issuer-mismatch': 'A different issuer answered than the configured one: use the URL that the issuer calls itself.',
        'issuer-invalid': 'This is not the answer of an OpenID Provider: check the issuer URL.',
        'sign-in-refused': 'The person or the issuer said no. Offer to sign in again; do not start it automatically.',
        'state-mismatch': 'The answer belongs to no sign-in of this tab: offer to sign in again.',
        'token-refused': 'The token endpoint refused: offer to sign in again.',
        'id-token-invalid': 'The ID token, or what came with it, cannot be trusted. Offer to sign in again; if it persists, tell the operator. For exp, check the clock of this device.',
        'session-ended': 'The session is over: offer to sign in again.',
        'storage-forbidden': 'The browser blocks storage for this page, so no sign-in can come back to it: ask the person to allow it.',
        'scope-missing': 'The route needs a scope that was requested and not granted: are the client and the person allowed it?',
        'credentials-wrong': 'Wrong e-mail or password: let the person try again.',
        'input-invalid': 'The field was refused: let the person correct it.',
        'too-many-attempts': 'Too many failed sign-ins: wait for retryAfter seconds.',
        'registration-closed': 'Registration is closed.',
        'origin-refused': 'Pages of this origin may not sign in directly: the operator lists origins in direct_origins.',
      } as const)
    : undefined;

/** What went wrong. */
export type KeywrightErrorCode = keyof NonNullable<typeof advice>;

/** More about one failure. */
export interface KeywrightErrorDetail {
  /** The finer cause: an OAuth error code, the claim of an ID token, a scope, a field, a status. */
  readonly reason?: string;
  /** Seconds to wait before trying again, where the issuer said so. */
  readonly retryAfter?: number;
  /** What is wrong with each refused field. */
  readonly fields?: Readonly<Record<string, string>>;
  /** What exactly was found; part of the message. */
  readonly found?: string;
  readonly cause?: unknown;
}

/** An expected failure. Its message tells developers what to do; show people a text of yours for each code. */
export class KeywrightError extends Error {
  override readonly name = 'KeywrightError';
  readonly reason?: string;
  readonly retryAfter?: number;
  readonly fields?: Readonly<Record<string, string>>;

  constructor(readonly code: KeywrightErrorCode, { reason, retryAfter, fields, found = reason, cause }: KeywrightErrorDetail = {}) {
    const todo = advice?.[code] ?? `https://github.com/keywright/keywright/blob/main/docs/angular.md#${code}`;
    super(`${code}${found ? ` (${found})` : ''}: ${todo}`, { cause });
    this.reason = reason;
    this.retryAfter = retryAfter;
    this.fields = fields;
  }
}

/** Refuses an ID token, or what came beside it. */
export function invalidToken(reason: string, cause?: unknown): KeywrightError {
  return new KeywrightError('id-token-invalid', { reason, cause });
}

export function unreachable(issuer: string, cause: unknown): KeywrightError {
  return new KeywrightError('issuer-unreachable', { found: issuer, cause });
}

/** Says whether a refresh was refused for good. */
export function isOver(error: unknown): boolean {
  return error instanceof KeywrightError && error.code === 'token-refused' && error.reason !== 'temporarily_unavailable';
}

/** Says whether an answer was not to be believed. */
export function isForged(error: unknown): boolean {
  return error instanceof KeywrightError && (error.code === 'id-token-invalid' || error.code === 'issuer-mismatch');
}
