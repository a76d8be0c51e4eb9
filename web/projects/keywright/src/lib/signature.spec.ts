import type { AuthorizationServer } from 'oauth4webapi';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { verifySignature } from './signature';

type Key = JsonWebKey & { kid?: string };

const as: AuthorizationServer = { issuer: 'https://id.example.com', jwks_uri: 'https://id.example.com/jwks' };

let published: unknown;
let asked: number;

beforeEach(() => {
  asked = 0;
  vi.stubGlobal('fetch', async () => (asked++, Response.json(published)));
});

const algorithms: Record<string, RsaHashedKeyGenParams | EcKeyGenParams | Algorithm> = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' }, ES384: { name: 'ECDSA', namedCurve: 'P-384' }, ES512: { name: 'ECDSA', namedCurve: 'P-521' },
  RS256: rsa('RSASSA-PKCS1-v1_5', 256), RS512: rsa('RSASSA-PKCS1-v1_5', 512), PS256: rsa('RSA-PSS', 256), PS384: rsa('RSA-PSS', 384),
  EdDSA: { name: 'Ed25519' }, Ed25519: { name: 'Ed25519' },
};

function rsa(name: string, bits: number, modulusLength = 2048): RsaHashedKeyGenParams {
  return { name, modulusLength, publicExponent: new Uint8Array([1, 0, 1]), hash: `SHA-${bits}` };
}

async function newKey(algorithm: AlgorithmIdentifier): Promise<{ sign: CryptoKey; jwk: Key }> {
  const { privateKey: sign, publicKey } = (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair;
  const { kty, crv, x, y, n, e } = await crypto.subtle.exportKey('jwk', publicKey);
  return { sign, jwk: { kty, crv, x, y, n, e, kid: 'one' } };
}

async function jws(key: CryptoKey, header: object): Promise<string> {
  const signed = `${encode(JSON.stringify(header))}.${encode('{}')}`;
  const bits = /\d{3}$/.exec((header as { alg: string }).alg)?.[0] ?? '512';
  const how = { name: key.algorithm.name, hash: `SHA-${bits}`, saltLength: Number(bits) / 8 };
  return `${signed}.${encode(await crypto.subtle.sign(how, key, new TextEncoder().encode(signed)))}`;
}

function encode(value: string | ArrayBuffer): string {
  return Buffer.from(value as string).toString('base64url');
}

describe.each(Object.keys(algorithms))('a signature by %s', (alg) => {
  it('is good by its key, and bad when it or what it signs was changed', async () => {
    const { sign, jwk } = await newKey(algorithms[alg]);
    published = { keys: [jwk] };
    const good = await jws(sign, { alg, kid: 'one' });
    await verifySignature({ ...as }, good);
    const [header, , signature] = good.split('.');
    const changed = [header, encode('{"sub":"eve"}'), signature].join('.');
    await expect(verifySignature({ ...as }, changed)).rejects.toMatchObject({ code: 'id-token-invalid', reason: 'signature' });
    await expect(verifySignature({ ...as }, good.slice(0, -8) + 'AAAAAAAA')).rejects.toMatchObject({ reason: 'signature' });
    await expect(verifySignature({ ...as }, [header, encode('{}'), ''].join('.'))).rejects.toMatchObject({ code: 'id-token-invalid' });
  });
});

describe('a key', () => {
  it.each<[string, (key: Key) => Key[]]>([
    ['of another kid', (key) => [{ ...key, kid: 'two' }]],
    ['for encryption', (key) => [{ ...key, use: 'enc' }]],
    ['for another algorithm', (key) => [{ ...key, alg: 'ES384' }]],
    ['of another type', (key) => [{ ...key, kty: 'RSA' }]],
    ['that there is twice', (key) => [key, key]],
    ['that there is not', () => []],
  ])('%s is none', async (_, publish) => {
    const { sign, jwk } = await newKey(algorithms['ES256']);
    published = { keys: publish(jwk) };
    await expect(verifySignature({ ...as }, await jws(sign, { alg: 'ES256', kid: 'one' }))).rejects.toMatchObject({ code: 'id-token-invalid', reason: 'key' });
    expect(asked).toBe(2);
  });

  it('without a kid is found by its type, when it is the only one of it', async () => {
    const [elliptic, other] = [await newKey(algorithms['ES256']), await newKey(algorithms['RS256'])];
    published = { keys: [elliptic.jwk, { ...other.jwk, kid: 'two' }] };
    await verifySignature({ ...as }, await jws(elliptic.sign, { alg: 'ES256' }));
    published = { keys: [elliptic.jwk, { ...elliptic.jwk, kid: 'two' }] };
    await expect(verifySignature({ ...as }, await jws(elliptic.sign, { alg: 'ES256' }))).rejects.toMatchObject({ reason: 'key' });
  });

  it('on another curve, or too short, is none', async () => {
    const wide = await newKey(algorithms['ES384']);
    published = { keys: [wide.jwk] };
    await expect(verifySignature({ ...as }, await jws(wide.sign, { alg: 'ES256', kid: 'one' }))).rejects.toThrow();
    const short = await newKey(rsa('RSASSA-PKCS1-v1_5', 256, 1024));
    published = { keys: [short.jwk] };
    await expect(verifySignature({ ...as }, await jws(short.sign, { alg: 'RS256', kid: 'one' }))).rejects.toMatchObject({ reason: 'key' });
  });

  it('is fetched once, and once more when the signature is of another', async () => {
    const [first, second] = [await newKey(algorithms['ES256']), await newKey(algorithms['ES256'])];
    const issuer = { ...as };
    published = { keys: [first.jwk] };
    await verifySignature(issuer, await jws(first.sign, { alg: 'ES256', kid: 'one' }));
    await verifySignature(issuer, await jws(first.sign, { alg: 'ES256', kid: 'one' }));
    expect(asked).toBe(1);
    published = { keys: [{ ...second.jwk, kid: 'two' }] };
    await verifySignature(issuer, await jws(second.sign, { alg: 'ES256', kid: 'two' }));
    expect(asked).toBe(2);
  });
});

it.each(['none', 'HS256', 'ES256K', 'RS1', '', undefined, '__proto__'])('the algorithm %s is refused', async (alg) => {
  const { sign, jwk } = await newKey(algorithms['ES256']);
  published = { keys: [jwk, { kty: 'oct', k: 'c2VjcmV0', kid: 'one' }] };
  const [, payload, signature] = (await jws(sign, { alg: 'ES256', kid: 'one' })).split('.');
  const forged = [encode(JSON.stringify({ alg, kid: 'one' })), payload, signature].join('.');
  await expect(verifySignature({ ...as }, forged)).rejects.toMatchObject({ code: 'id-token-invalid', reason: 'alg' });
});

it.each([{}, { keys: 'none' }, [], null, 'text'])('an issuer that publishes %j has no keys', async (answer) => {
  published = answer;
  const { sign } = await newKey(algorithms['ES256']);
  await expect(verifySignature({ ...as }, await jws(sign, { alg: 'ES256' }))).rejects.toMatchObject({ code: 'issuer-invalid' });
});

it('keys are not fetched over plain http', async () => {
  const { sign } = await newKey(algorithms['ES256']);
  await expect(verifySignature({ ...as, jwks_uri: 'http://id.example.com/jwks' }, await jws(sign, { alg: 'ES256' }))).rejects.toMatchObject({ code: 'issuer-invalid' });
  expect(asked).toBe(0);
});
