/** A JSON Web Token, as anybody can read it. Only the API that it is for can say whether it is good. RFC 7519. */
export interface Jwt {
  readonly header: Record<string, unknown>;
  readonly payload: Record<string, unknown> & { readonly iat: number; readonly exp: number; readonly auth_time?: number };
}

export function decode(token: string): Jwt {
  const [header, payload] = token.split('.').slice(0, 2).map((part) => JSON.parse(fromBase64url(part)));
  return { header, payload };
}

/**
 * How many seconds a token still has. The clock of this device may be wrong, and so is asked only where nothing else
 * tells the issuer's time.
 *
 * @param age how many seconds ago the person proved who they are
 */
export function secondsLeft({ iat, exp, auth_time }: Jwt['payload'], age: number): number {
  if (auth_time !== undefined && Number.isFinite(age)) return exp - (auth_time + age);
  const left = exp - Date.now() / 1000;
  return left > 0 ? Math.min(left, exp - iat) : exp - iat; // it has just been asked for, and so has not ended
}

function fromBase64url(text: string): string {
  const bytes = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
}
