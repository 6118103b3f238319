import { SignatureV4 } from '@smithy/signature-v4';
import { ReplicationError } from '../errors.ts';
import { secretsManagerClient } from './clients.ts';
import { sdkErrorName } from './failure.ts';

export interface CallerIdentityOptions {
  /** Absent for STS's global endpoint, which is what Vault asks unless it is configured otherwise. */
  readonly region?: string;
  /** X-Vault-AWS-IAM-Server-ID, signed with the rest: another Vault that is shown this request cannot use it here. */
  readonly header?: string;
}

/** A request that says who signed it, to whoever sends it to STS. */
export interface SignedIdentity {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const BODY = 'Action=GetCallerIdentity&Version=2011-06-15';

/**
 * Signs `sts:GetCallerIdentity` with the SDK's own credentials, anew at each call; nothing is sent. Throws
 * source_unavailable where no credentials are to be had.
 */
export function callerIdentity({ region, header }: CallerIdentityOptions): () => Promise<SignedIdentity> {
  const host = region === undefined ? 'sts.amazonaws.com' : `sts.${region}.amazonaws.com${suffix(region)}`;
  // The client is never used but for its chain of credentials and its hash.
  const { credentials, sha256 } = secretsManagerClient({ region: region ?? GLOBAL }, 1).config;
  const signer = new SignatureV4({
    service: 'sts',
    region: region ?? GLOBAL,
    credentials,
    sha256,
    applyChecksum: false,
  });
  return async () => {
    const headers = {
      host,
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      ...(header !== undefined && { 'x-vault-aws-iam-server-id': header }),
    };
    const request = { method: 'POST', protocol: 'https:', hostname: host, path: '/', headers, body: BODY };
    const signed = await signer.sign(request).catch((error: unknown) => {
      throw new ReplicationError(
        'source_unavailable',
        `no AWS credentials to log in to Vault with (${sdkErrorName(error)}); give this process a role or a profile`,
      );
    });
    return { url: `https://${host}/`, body: BODY, headers: signed.headers };
  };
}

/** The region that signs for the global endpoint. */
const GLOBAL = 'us-east-1';

/** China's regions have a domain of their own. */
const suffix = (region: string): string => (region.startsWith('cn-') ? '.cn' : '');
