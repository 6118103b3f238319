import { createHash, createHmac } from 'node:crypto';

/** A request as it would reach STS. Names of headers in lower case. */
export interface Arrived {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/**
 * Whether the signature is that of the secret key over what arrived, worked out anew by the steps of "Create a signed AWS
 * API request" (AWS IAM user guide) and by nothing of the SDK's.
 */
export function isSignedBy(secretKey: string, { method, path, headers, body }: Arrived): boolean {
  const pattern = /^AWS4-HMAC-SHA256 Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;
  const [, scope = '', signedHeaders = '', signature] = pattern.exec(headers['authorization'] ?? '') ?? [];
  const names = signedHeaders.split(';');
  const lines = names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}\n`).join('');
  const canonical = [method, path, '', lines, signedHeaders, sha256(body)].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((last, part) => hmac(last, part), `AWS4${secretKey}`);
  const isWhole = ['host', 'x-amz-date'].every((name) => names.includes(name));
  return isWhole && hmac(key, toSign).toString('hex') === signature;
}
