/**
 * How a failure is treated, by its code:
 * - `retryable`: the message waits and is looked at again;
 * - `permanent`: no second look can help, so the message is parked in the DLQ at once;
 * - `hold`: nothing is wrong, the time has not come yet.
 */
type Treatment = 'retryable' | 'permanent' | 'hold';

const TREATMENTS = {
  source_unavailable: 'retryable',
  source_stale: 'hold',
  source_forbidden: 'permanent',
  mount_version_mismatch: 'permanent',
  queue_unavailable: 'retryable',
  destination_unavailable: 'retryable',
  destination_throttled: 'hold',
  destination_forbidden: 'permanent',
  destination_rejected: 'permanent',
  version_budget: 'hold',
  promotion_conflict: 'retryable',
  version_id_taken: 'permanent',
  not_owned: 'permanent',
  name_invalid: 'permanent',
  value_too_large: 'permanent',
  rotation_enabled: 'permanent',
  unrouted: 'permanent',
  message_malformed: 'permanent',
  internal: 'retryable',
} as const satisfies Record<string, Treatment>;

export type FailureCode = keyof typeof TREATMENTS;

/** The one error class of the corridor: a closed code, a text for people (never a value), the cause kept. */
export class ReplicationError extends Error {
  override name = 'ReplicationError';
  readonly code: FailureCode;

  constructor(code: FailureCode, text: string, cause?: unknown) {
    super(text, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  get treatment(): Treatment {
    return TREATMENTS[this.code];
  }
}

/** A foreign error is a fault of this program, and its text is not trusted to hold no value: only its kind is kept. */
export const toReplicationError = (thrown: unknown): ReplicationError =>
  thrown instanceof ReplicationError
    ? thrown
    : new ReplicationError(
        'internal',
        `an unexpected ${thrown instanceof Error ? thrown.name : 'error'}: please report it`,
      );
