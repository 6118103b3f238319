import { type FailureCode, ReplicationError } from '../errors.ts';

/** What of an SDK error may be shown: its message can quote the request, so it never is. */
interface SdkError {
  readonly name: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $retryable?: { readonly throttling?: boolean };
}

const CODES: Readonly<Record<string, FailureCode>> = {
  ThrottlingException: 'destination_throttled',
  Throttling: 'destination_throttled',
  TooManyRequestsException: 'destination_throttled',
  RequestLimitExceeded: 'destination_throttled',
  AccessDeniedException: 'destination_forbidden',
  AccessDenied: 'destination_forbidden',
  EncryptionFailure: 'destination_forbidden',
  DecryptionFailure: 'destination_forbidden',
  InvalidParameterException: 'destination_rejected',
  ValidationException: 'destination_rejected',
  MalformedPolicyDocumentException: 'destination_rejected',
};

export const sdkErrorName = (error: unknown): string => (error as SdkError | undefined)?.name ?? 'Error';

/** The failure's code: what AWS names is told apart, everything else (network, time-outs, 5xx, expired credentials) passes. */
export function destinationFailure(error: unknown, call: string, secret: string): ReplicationError {
  if (error instanceof ReplicationError) return error;
  const name = sdkErrorName(error);
  const { $metadata, $retryable } = (error ?? {}) as Partial<SdkError>;
  const throttled = $retryable?.throttling === true || $metadata?.httpStatusCode === 429;
  const code = throttled ? 'destination_throttled' : (CODES[name] ?? 'destination_unavailable');
  const request = $metadata?.requestId === undefined ? '' : ` (request ${$metadata.requestId})`;
  return new ReplicationError(code, `Secrets Manager answered ${call} for ${secret} with ${name}${request}`);
}
