import type { Order } from '../../src/replicate/look-at.ts';
import type { SecretRef } from '../../src/replicate/ref.ts';
import { createReplicator, type Outcome, type ReplicatorPorts } from '../../src/replicate/replicate.ts';
import { type ManualClock, manualClock } from '../fakes/clock.ts';
import { type FakeSecretsManager, fakeSecretsManager, type Unlabelled } from '../fakes/secrets-manager.ts';
import { type FakeSource, fakeSource } from '../fakes/source.ts';

export const KV = { namespace: '', mount: 'kv' };
export const REF: SecretRef = { ...KV, path: 'app/db' };
export const NAME = 'kv/app/db';

export interface World {
  readonly clock: ManualClock;
  readonly vault: FakeSource;
  readonly aws: FakeSecretsManager;
  /** What the first worker was told of, as `outcome version`. */
  readonly written: string[];
  /** One look of the first worker at `kv/app/db`. */
  run(order?: Partial<Order>): Promise<{ outcome: Outcome; behindHint: boolean; wentBack: boolean }>;
  /** Another worker process. */
  worker(more?: Partial<ReplicatorPorts>): () => Promise<unknown>;
}

/** A Vault with the mount `kv`, an empty Secrets Manager, a clock that stands still, and a worker. */
export function world(more: Partial<ReplicatorPorts> & { readonly unlabelled?: Unlabelled } = {}): World {
  const clock = manualClock();
  const vault = fakeSource(clock, KV);
  const aws = fakeSecretsManager(more.unlabelled, clock.now);
  let puts = 0;
  const fresh = () => String(++puts).padStart(24, '0');
  const own = { vault: 'prod', tags: {}, versionTag: true, fresh };
  const ports = { source: vault, destination: aws, clock, ...own, ...more };
  const replicate = createReplicator(ports);
  const written: string[] = [];
  const order: Order = { ref: REF, route: 'all', secretName: NAME, hint: undefined };
  return {
    clock,
    vault,
    aws,
    written,
    run: (changed) =>
      replicate({ ...order, ...changed }, (outcome, version) => written.push(`${outcome} ${version ?? '-'}`)),
    worker: (changed) => {
      const other = createReplicator({ ...ports, ...changed });
      return () => other(order, () => undefined);
    },
  };
}
