declare const ngDevMode: unknown;

/** What to do about each failure. Production builds leave the texts out, and name the page that has them. */
const advice =
  typeof ngDevMode === 'undefined' || ngDevMode
    ? ({
        'config-invalid': 'What provideKeywright was given cannot work: mend it.',
        'issuer-unreachable': 'The issuer does not answer this page: is it running, and is this origin one of the client (CORS)? Offer to try again.',
        'issuer-mismatch': 'Another issuer answered than the one that is configured: make the two URLs the same.',
        'issuer-invalid': 'The answer is none of an OpenID Provider: check the issuer URL.',
        'sign-in-refused': 'The person or the issuer said no. Offer to sign in again; do not begin by itself.',
        'state-mismatch': 'The answer belongs to no sign-in that was begun in this tab: offer to sign in again.',
        'token-refused': 'The token endpoint refused: offer to sign in again.',
        'id-token-invalid': 'The ID token, or what came with it, is not to be believed. Offer to sign in again; if it stays, tell the operator. For exp, is the clock of this device right?',
        'session-ended': 'The session is over: offer to sign in again.',
        'storage-forbidden': 'The browser keeps nothing for this page, so no sign-in can come back to it: ask the person to allow it.',
        'scope-missing': 'The route needs a scope that was asked for and not granted: may this client have it, and this person?',
        'credentials-wrong': 'E-mail or password are wrong: let the person try again.',
        'input-invalid': 'What was typed in the field is refused: let the person mend it.',
        'too-many-attempts': 'Too many failed sign-ins: wait for retryAfter seconds.',
        'registration-closed': 'The operator lets nobody register.',
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
