import type { AuthorizationServer } from 'oauth4webapi';
import { isSafe } from './config';
import { invalidToken, KeywrightError } from './error';
import { reach, requestInit } from './issuer';

interface Jwk extends JsonWebKey {
  readonly kid?: string;
}

/** Each issuer's keys, fetched again when a signature is of none of them. */
const fetched = new WeakMap<AuthorizationServer, readonly Jwk[]>();

/** Verifies who signed a JWS. Keys may have rotated since they were fetched: then they are fetched once more. RFC 7515 §5.2. */
export async function verifySignature(as: AuthorizationServer, jws: string): Promise<void> {
  const keys = fetched.get(as) ?? (await fetchKeys(as));
  if (await isSigned(jws, keys).catch(() => false)) return;
  if (!(await isSigned(jws, await fetchKeys(as)))) throw invalidToken('signature');
}

async function fetchKeys(as: AuthorizationServer): Promise<readonly Jwk[]> {
  const url = URL.parse(as.jwks_uri ?? '');
  const response = isSafe(url) ? await reach(as.issuer, fetch(url, requestInit())) : undefined;
  const keys: unknown = (await response?.json().catch(() => undefined))?.keys;
  if (!Array.isArray(keys)) throw new KeywrightError('issuer-invalid', { found: `${as.issuer} publishes no keys` });
  fetched.set(as, keys);
  return keys;
}

async function isSigned(jws: string, keys: readonly Jwk[]): Promise<boolean> {
  const [header, payload, signature] = jws.split('.');
  const { alg, kid } = JSON.parse(fromBase64url(header));
  const { kty, ...algorithm } = algorithmOf(alg);
  const fits = (key: Jwk) => key.kty === kty && (kid === undefined || key.kid === kid) && (key.alg ?? alg) === alg && (key.use ?? 'sig') === 'sig';
  const [key, another] = keys.filter(fits);
  if (!key || another) throw invalidToken('key');
  const imported = await crypto.subtle.importKey('jwk', key, algorithm, false, ['verify']);
  if (((imported.algorithm as Partial<RsaKeyAlgorithm>).modulusLength ?? 2048) < 2048) throw invalidToken('key'); // RFC 7518 §3.3
  return crypto.subtle.verify(algorithm, imported, Uint8Array.from(fromBase64url(signature), (c) => c.charCodeAt(0)), new TextEncoder().encode(`${header}.${payload}`));
}

/** What WebCrypto calls an algorithm, and the type of its keys. RFC 7518 §3.1, RFC 8037 §3.1; others are refused. */
function algorithmOf(alg: string) {
  const [, family, bits] = /^(ES|RS|PS)(256|384|512)$/.exec(alg) ?? [];
  const hash = `SHA-${bits}`;
  switch (family ?? alg) {
    case 'ES':
      return { kty: 'EC', name: 'ECDSA', hash, namedCurve: bits === '512' ? 'P-521' : `P-${bits}` };
    case 'RS':
      return { kty: 'RSA', name: 'RSASSA-PKCS1-v1_5', hash };
    case 'PS':
      return { kty: 'RSA', name: 'RSA-PSS', hash, saltLength: Number(bits) / 8 };
    case 'EdDSA':
    case 'Ed25519':
      return { kty: 'OKP', name: 'Ed25519' };
  }
  throw invalidToken('alg');
}

/** Its bytes, a character each. */
export function fromBase64url(text: string): string {
  return atob(text.replaceAll('-', '+').replaceAll('_', '/'));
}
