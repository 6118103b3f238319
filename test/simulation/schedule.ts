/** What becomes of the audit line of a change. */
export interface Line {
  readonly lost: boolean;
  /** How late it comes, in ms. */
  readonly delay: number;
  readonly twice: boolean;
}

export type Port = 'vault' | 'aws' | 'sqs';
/** Operations that a fault may be made for: those that chance picks from, and one that only a story names. */
export type Operation = (typeof OPERATIONS)[number] | 'DeleteSecret';
export type Side = 'before' | 'after';

export const OPERATIONS = [
  'PutSecretValue',
  'UpdateSecretVersionStage',
  'CreateSecret',
  'TagResource',
  'UntagResource',
  'RestoreSecret',
  'DescribeSecret',
  'GET',
  'acknowledge',
] as const;

export interface At {
  /** Virtual ms since the beginning. */
  readonly at: number;
}

interface OfSecret {
  /** Which of the world's secrets. */
  readonly secret: number;
}

/** What people do. `value` tells values apart, and stands in no real one. */
export type Deed =
  | ({ readonly kind: 'write'; readonly line: Line; readonly commit: number; readonly expires?: number } & OfSecret)
  | ({ readonly kind: 'delete' | 'undelete' | 'destroy' | 'purge'; readonly line: Line } & OfSecret)
  | ({ readonly kind: 'denied' | 'metadata'; readonly line: Line } & OfSecret)
  | ({ readonly kind: 'forged'; readonly version: number; readonly ahead: number; readonly purge: boolean } & OfSecret)
  | ({ readonly kind: 'burst'; readonly writes: number; readonly every: number } & OfSecret)
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'rewind'; readonly line: Line }
  | { readonly kind: 'remount'; readonly mount: number; readonly away: number; readonly kv: 1 | 2; readonly line: Line }
  | ({ readonly kind: 'operator' } & OfSecret)
  | { readonly kind: 'redrive' | 'sweep' }
  | ({ readonly kind: 'aws:edit' | 'aws:back' | 'aws:schedule' | 'aws:restore' | 'aws:force' } & OfSecret)
  | ({ readonly kind: 'aws:foreign' | 'aws:mark' | 'aws:version-tag' | 'aws:owner' | 'aws:valueless' } & OfSecret)
  | ({ readonly kind: 'aws:rotation'; readonly on: boolean } & OfSecret)
  | ({ readonly kind: 'aws:old-versions'; readonly age: number } & OfSecret);

/** What goes wrong. `calls` counts the calls until it does, those `of` one operation where it is named. */
export type Fault =
  | {
      readonly kind: 'crash';
      readonly worker: number;
      readonly calls: number;
      readonly of?: Operation;
      readonly side: Side;
      readonly slow: number;
      readonly down: number;
    }
  | {
      readonly kind: 'stall';
      readonly worker: number;
      readonly calls: number;
      readonly of?: Operation;
      readonly side: Side;
      readonly slow: number;
      readonly ms: number;
    }
  | { readonly kind: 'ingress-crash'; readonly down: number }
  | { readonly kind: 'fail'; readonly port: Port; readonly calls: number; readonly side: Side }
  | {
      readonly kind: 'slow';
      readonly port: Port;
      readonly calls: number;
      readonly of?: Operation;
      readonly side: Side;
      readonly ms: number;
    }
  | { readonly kind: 'flaky'; readonly port: Port; readonly ms: number; readonly share: number }
  | { readonly kind: 'outage'; readonly port: Port; readonly ms: number; readonly hangs: boolean }
  | { readonly kind: 'throttle'; readonly ms: number; readonly share: number }
  | { readonly kind: 'standby'; readonly ms: number; readonly lag: number; readonly share: number }
  | { readonly kind: 'forbid'; readonly ms: number }
  | { readonly kind: 'lapse'; readonly times: number; readonly every: number };

export type Event = At & (Deed | Fault);

/** What a seed is: a world, and what happens in it. Every run of it is the same. */
export interface Schedule {
  readonly seed: number;
  /** When people and faults rest, in virtual ms. */
  readonly ends: number;
  readonly workers: 1 | 2;
  readonly destinations: 1 | 2;
  readonly unlabelled: 'gone' | 'kept';
  readonly iam: boolean;
  /** Vault's listings tell metadata. */
  readonly openbao: boolean;
  /** Copies of what is gone are deleted after five minutes' grace. */
  readonly deletes: boolean;
  /** Between the timer's sweeps, in ms. */
  readonly sweepEvery: number;
  /** The longest lag of ListSecrets, in ms. */
  readonly listingLag: number;
  readonly concurrency: number;
  readonly events: readonly Event[];
}

/** The world's secrets: some share a mount, and so a listing. */
export const SECRETS = [
  { namespace: '', mount: 'kv', path: 'a' },
  { namespace: '', mount: 'kv', path: 'b/c d' },
  { namespace: '', mount: 'team', path: 'a' },
] as const;
export const MOUNTS = ['kv', 'team'] as const;

export type SecretRef = (typeof SECRETS)[number];

/** A standby that lags for longer than this, in ms, is believed after two minutes, as is documented; so none does. */
export const LONGEST_LAG = 60_000;
