/**
 * How a failure is treated, by its code:
 * - `retryable`: the message waits and is looked at again, and is parked when that goes on for too long;
 * - `pausing`: retryable, and what failed may be down for everybody: it is asked, and while it is down nothing is tried;
 * - `hold`: nothing is wrong, the time has not come yet; never parked;
 * - `permanent`: no second look can help, so the message is parked in the DLQ at once.
 */
export type Treatment = 'retryable' | 'pausing' | 'hold' | 'permanent';

interface Failure {
  readonly treatment: Treatment;
  /** What it means, a sentence. */
  readonly meaning: string;
  /** What an operator should do, a sentence or two. */
  readonly advice: string;
}

/** Every way in which a look can end without its message being done with: the source of docs/errors.md. */
export const FAILURES = {
  source_unavailable: {
    treatment: 'pausing',
    meaning: 'Vault did not answer, or with nothing that proves presence or absence.',
    advice:
      'See that Vault is up and unsealed, that its address is right and its token valid; then it goes on by itself.',
  },
  source_stale: {
    treatment: 'hold',
    meaning:
      'Vault answered with an older version than was seen before, or too slowly for its answer to be acted upon.',
    advice:
      'None: a standby catches up; after two minutes of nothing else the answer is believed (a restored snapshot). Where the text says so, see what is slow.',
  },
  source_forbidden: {
    treatment: 'permanent',
    meaning: "The token's policy does not allow to read the secret, or no request can name its path.",
    advice: 'Add the line that the text names to the policy, then redrive.',
  },
  mount_version_mismatch: {
    treatment: 'permanent',
    meaning: 'The mount is no KV, or of another version than its route says.',
    advice:
      "Set the route's kvVersion to what Vault says, or to auto, or drop the route; then redrive, or drop the letter.",
  },
  queue_unavailable: {
    treatment: 'pausing',
    meaning: 'SQS did not answer, or refused.',
    advice: "See that the queue exists, and that the role's permissions and credentials are valid.",
  },
  destination_unavailable: {
    treatment: 'pausing',
    meaning: 'Secrets Manager did not answer, failed, or does not take the credentials (expired).',
    advice: 'See that the region can be reached and that the credentials are valid; then it goes on by itself.',
  },
  destination_throttled: {
    treatment: 'hold',
    meaning: "The account's rate of requests is used up.",
    advice: 'None, if it is rare. Else lower worker.writesPerSecond, or ask what else writes in this account.',
  },
  destination_forbidden: {
    treatment: 'permanent',
    meaning: 'IAM or the KMS key does not allow the call.',
    advice: 'Grant what the text names to the role (see the README), then redrive.',
  },
  destination_rejected: {
    treatment: 'permanent',
    meaning: 'Secrets Manager finds the request invalid.',
    advice:
      'Look at the name, tags and KMS key that the route and destination make, mend the configuration, then redrive.',
  },
  version_budget: {
    treatment: 'hold',
    meaning: 'Secrets Manager keeps about 100 versions of a secret in 24 hours and takes no more.',
    advice: 'Write the secret less often. Its newest value is written as soon as there is room.',
  },
  promotion_conflict: {
    treatment: 'retryable',
    meaning: 'Somebody else changed the copy at every look.',
    advice: 'Find what else writes or deletes it (CloudTrail), and end that; then redrive.',
  },
  version_id_taken: {
    treatment: 'permanent',
    meaning: 'The version id is in use for other bytes, which can never be replaced.',
    advice: 'Write the secret in Vault once more: a new version has a new id. Then drop the letter.',
  },
  not_owned: {
    treatment: 'permanent',
    meaning: 'A secret of that name exists and is not our copy of this ref.',
    advice:
      'Take it over with `vaultferry adopt REF`, rename or delete it, or exclude the path from the route; then redrive, or drop the letter.',
  },
  name_invalid: {
    treatment: 'permanent',
    meaning:
      "The secret's name would be longer than Secrets Manager allows, or is that of the secret with VaultFerry's own credentials.",
    advice:
      'Shorten or exclude the path, or set the route\'s "as", as the text says; then redrive, or drop the letter.',
  },
  value_too_large: {
    treatment: 'permanent',
    meaning: 'The value is larger than the 65,536 bytes that Secrets Manager allows.',
    advice:
      'Split the secret in Vault, or exclude it from the route; a smaller version is carried by itself. Then redrive or drop the letter.',
  },
  value_unrepresentable: {
    treatment: 'permanent',
    meaning: 'The value is no JSON object (a version that was written with null).',
    advice: 'Write an object in Vault: the new version is carried by itself. Then drop the letter.',
  },
  released: {
    treatment: 'permanent',
    meaning: 'The copy was let go by `vaultferry release`, so nothing is written there, and no letter is made of it.',
    advice: 'None, if that is meant. `vaultferry adopt REF` takes the copy back.',
  },
  rotation_enabled: {
    treatment: 'permanent',
    meaning: 'AWS rotates the secret, or a service of AWS manages it.',
    advice:
      'Leave it to one of the two: end the rotation, or exclude the path from the route; then redrive, or drop the letter.',
  },
  limit_reached: {
    treatment: 'permanent',
    meaning: "The destination's maxSecrets is reached, so no further copy is created.",
    advice: 'Raise destinations.*.maxSecrets (a copy costs $0.40 a month), or narrow the route; then redrive.',
  },
  unrouted: {
    treatment: 'permanent',
    meaning: 'No route leads the ref to the destination any more.',
    advice: 'Route it again and redrive, or drop the letter.',
  },
  message_malformed: {
    treatment: 'permanent',
    meaning: "The message is not of VaultFerry's shape, of an unknown version, or for another Vault.",
    advice: 'Find who sends to the queue. Drop the letter if nobody needs it.',
  },
  internal: {
    treatment: 'retryable',
    meaning: 'An error that VaultFerry did not expect.',
    advice: 'Please report it with its log line; then redrive.',
  },
} as const satisfies Readonly<Record<string, Failure>>;

export type FailureCode = keyof typeof FAILURES;

/** The one error class of the corridor: a closed code, a text for people (never a value), the cause kept. */
export class ReplicationError extends Error {
  override name = 'ReplicationError';
  readonly code: FailureCode;
  /** When it is worth looking again, in seconds, where that is known. */
  readonly retryAfter: number | undefined;

  constructor(code: FailureCode, text: string, cause?: unknown, retryAfter?: number) {
    super(text, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryAfter = retryAfter;
  }

  get treatment(): Treatment {
    return FAILURES[this.code].treatment;
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
