/** A JSON Web Token, as anybody can read it. Only the API that it is for can say whether it is good. RFC 7519. */
export interface Jwt {
  readonly header: Record<string, unknown>;
  readonly payload: Record<string, unknown> & { readonly exp: number };
}

export function decode(token: string | undefined): Jwt | undefined {
  if (!token) return undefined;
  const [header, payload] = token.split('.').slice(0, 2).map((part) => JSON.parse(fromBase64url(part)));
  return { header, payload };
}

function fromBase64url(text: string): string {
  const bytes = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
}
