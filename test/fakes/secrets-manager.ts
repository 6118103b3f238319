import { ReplicationError } from '../../src/errors.ts';
import type { Limiter } from '../../src/limiter.ts';
import {
  CURRENT,
  type Destination,
  type DestinationState,
  type Errand,
  type ListedCopy,
  STAGING_LABEL,
} from '../../src/replicate/destination.ts';
import { TAG_VAULT, type Tags } from '../../src/replicate/tags.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { checkSecret, checkTags, checkVersion } from './secrets-manager-limits.ts';

/** For tests of what is no matter of rates. */
export const UNLIMITED: Limiter = {
  turn: async () => undefined,
  giveBack: () => undefined,
  throttled: () => undefined,
};
/** Of a hand that waits for nothing. */
export const AT_ONCE: Errand = { turn: async () => undefined };

const PREVIOUS = 'AWSPREVIOUS';

/** Secrets Manager refuses a version past so many that it may not remove yet. */
const MAX_VERSIONS = 100;
/** What lost its labels is removed only once it is this old, in ms. */
const KEPT_FOR = 24 * 3_600_000;

export interface Version {
  readonly value: string;
  readonly createdAt: number;
  readonly labels: Set<string>;
}

/** One life of a name: a secret that is deleted for good and created anew is another one, with another ARN. */
export interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly description: string;
  readonly tags: Map<string, string>;
  readonly versions: Map<string, Version>;
  /** Every value that AWSCURRENT has pointed at, in order. */
  readonly history: string[];
  scheduledForDeletion: boolean;
  rotationEnabled: boolean;
  owningService: string | undefined;
  /** Regions with a replica. */
  replicas: readonly string[];
}

export type Operation =
  | 'describe'
  | 'value'
  | 'create'
  | 'put'
  | 'promote'
  | 'restore'
  | 'delete'
  | 'tag'
  | 'untag'
  | 'count';

export interface Call {
  readonly operation: Operation;
  /** The name for describe and create, the ARN for the rest. */
  readonly secret: string;
  readonly versionId?: string;
}

/** What happens between two instants of a call. To throw is to crash there. */
export type Interposed = (call: Call) => void | Promise<void>;

export interface FakeSecretsManager extends Destination {
  /** The calls that were sent, in order: those that a hook or a stale look stopped before are not among them. */
  readonly calls: readonly Call[];
  /** The names of those calls. */
  operations(): Operation[];
  /** Runs once, at the next call of that operation: before it is sent, or after it took effect. */
  interpose(when: 'before' | 'after', operation: Operation, hook: Interposed): void;
  /** The living secret of that name. Throws when there is none. */
  secret(name: string): Secret;
  has(name: string): boolean;
  /** ListSecrets without its lag: what carries the tag `vaultferry:vault`. */
  copies(): AsyncIterable<ListedCopy>;
  /** The value at AWSCURRENT. */
  current(name: string): string | undefined;
  /** A hand in AWS creates a secret; without `value` it has no version. */
  createByHand(name: string, options?: { readonly tags?: Tags; readonly value?: string }): Secret;
  /** A hand in AWS puts a value, which becomes AWSCURRENT under an id that is not ours. */
  edit(name: string, value: string): void;
  /** A hand in AWS deletes it for good: the name is free at once. */
  remove(name: string): void;
}

/**
 * What becomes of a version that lost its last label, and of a put that repeats it. AWS's documents leave both open:
 * - `gone` (the default): it cannot be promoted, and the repeated put brings it back;
 * - `kept`: it can be promoted, and the repeated put does nothing at all.
 */
export type Unlabelled = 'gone' | 'kept';

/**
 * Secrets Manager behind the port, as strict as AWS is where emulators are not. Chance plays no part, and time only in
 * how long versions are kept: without `now` it stands still.
 */
export function fakeSecretsManager(unlabelled: Unlabelled = 'gone', now: () => number = () => 0): FakeSecretsManager {
  const living = new Map<string, Secret>();
  const calls: Call[] = [];
  const hooks: { readonly when: string; readonly operation: Operation; readonly hook: Interposed }[] = [];
  let serial = 0;

  const run = async (when: 'before' | 'after', call: Call): Promise<void> => {
    const index = hooks.findIndex((hook) => hook.when === when && hook.operation === call.operation);
    if (index >= 0) await hooks.splice(index, 1)[0]?.hook(call);
  };
  async function send<T>(call: Call, effect: () => T, errand?: Errand): Promise<T> {
    await run('before', call);
    await errand?.turn(UNLIMITED);
    calls.push(call);
    const result = effect();
    await run('after', call);
    return result;
  }
  const born = (name: string, description: string, tags: Tags): Secret => {
    serial += 1;
    const secret: Secret = {
      arn: `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-${String(serial).padStart(6, '0')}`,
      name,
      description,
      tags: new Map(Object.entries(tags)),
      versions: new Map(),
      history: [],
      scheduledForDeletion: false,
      rotationEnabled: false,
      owningService: undefined,
      replicas: [],
    };
    living.set(name, secret);
    return secret;
  };
  const get = (name: string): Secret => living.get(name) ?? fail('promotion_conflict', `no secret ${name}`);
  /** By ARN, for a change: refused like a call to AWS while the secret is gone or scheduled for deletion. */
  const open = (arn: string): Secret => {
    const secret = [...living.values()].find((one) => one.arn === arn);
    if (secret === undefined || secret.scheduledForDeletion) fail('promotion_conflict', 'gone or scheduled');
    return secret;
  };

  return {
    calls,
    operations: () => calls.map(({ operation }) => operation),
    interpose: (when, operation, hook) => hooks.push({ when, operation, hook }),
    secret: get,
    has: (name) => living.has(name),
    async *copies() {
      for (const secret of [...living.values()]) {
        const { replicas: _, ...state } = stateOf(secret);
        if (TAG_VAULT in state.tags) yield { ...state, name: secret.name, description: secret.description };
      }
    },
    current: (name) => valueAt(get(name), CURRENT),
    createByHand(name, { tags = {}, value } = {}) {
      const secret = born(name, '', tags);
      if (value !== undefined) this.edit(name, value);
      return secret;
    },
    edit(name, value) {
      serial += 1;
      const id = `00000000-0000-4000-8000-${String(serial).padStart(12, '0')}`;
      const secret = get(name);
      secret.versions.set(id, { value, createdAt: now(), labels: new Set() });
      moveCurrent(secret, id);
    },
    remove: (name) => living.delete(name),

    describe: (name) =>
      send({ operation: 'describe', secret: name }, () => {
        const secret = living.get(name);
        return secret && stateOf(secret);
      }),
    value: (arn, versionId) =>
      send({ operation: 'value', secret: arn, versionId }, () => {
        const version = open(arn).versions.get(versionId) ?? fail('promotion_conflict', 'no such version');
        return new Sensitive(version.value);
      }),
    create: ({ name, description, versionId, value, tags }, errand) =>
      send(
        { operation: 'create', secret: name, versionId },
        () => {
          checkSecret(name, description, tags);
          checkVersion(versionId, value.reveal());
          const existing = living.get(name);
          if (existing?.versions.get(versionId)?.value === value.reveal()) return;
          if (existing !== undefined) fail('promotion_conflict', 'the name is taken');
          putVersion(born(name, description, tags), versionId, value.reveal(), undefined, now());
        },
        errand,
      ),
    put: (arn, versionId, value, errand) =>
      send(
        { operation: 'put', secret: arn, versionId },
        () => {
          checkVersion(versionId, value.reveal());
          const secret = open(arn);
          const existing = secret.versions.get(versionId);
          if (existing !== undefined && existing.value !== value.reveal()) fail('version_id_taken', 'other bytes');
          if (existing !== undefined && (existing.labels.size > 0 || unlabelled === 'kept')) return;
          prune(secret, now());
          if (existing === undefined && secret.versions.size >= MAX_VERSIONS)
            fail('version_budget', 'too many versions');
          putVersion(secret, versionId, value.reveal(), STAGING_LABEL, now());
        },
        errand,
      ),
    promote: (arn, versionId, from, errand) =>
      send(
        { operation: 'promote', secret: arn, versionId },
        () => {
          const secret = open(arn);
          const target = secret.versions.get(versionId);
          const current = idAt(secret, CURRENT);
          if (target === undefined) return fail('promotion_conflict', 'no such version');
          if (target.labels.size === 0 && unlabelled === 'gone') fail('promotion_conflict', 'no label left');
          if (from === undefined && current === versionId) return;
          if (from !== current) fail('promotion_conflict', 'AWSCURRENT stands elsewhere');
          moveCurrent(secret, versionId);
        },
        errand,
      ),
    restore: (arn, errand) =>
      send(
        { operation: 'restore', secret: arn },
        () => {
          const secret = [...living.values()].find((one) => one.arn === arn);
          if (secret?.scheduledForDeletion !== true) return fail('promotion_conflict', 'not scheduled for deletion');
          secret.scheduledForDeletion = false;
        },
        errand,
      ),
    async scheduleDeletion(arn, recoveryDays, errand) {
      if (!Number.isInteger(recoveryDays) || recoveryDays < 7 || recoveryDays > 30) fail('promotion_conflict', 'days');
      await run('before', { operation: 'delete', secret: arn });
      await errand.turn(UNLIMITED);
      calls.push({ operation: 'delete', secret: arn });
      open(arn).scheduledForDeletion = true;
      await run('after', { operation: 'delete', secret: arn });
    },
    async retag(arn, { set, remove }, errand) {
      const tag = () => {
        const { tags } = open(arn);
        checkTags({ ...Object.fromEntries(tags), ...set });
        for (const [key, value] of Object.entries(set)) tags.set(key, value);
      };
      const untag = () => {
        const { tags } = open(arn);
        for (const key of remove) tags.delete(key);
      };
      if (Object.keys(set).length > 0) await send({ operation: 'tag', secret: arn }, tag, errand);
      if (remove.length > 0) await send({ operation: 'untag', secret: arn }, untag, errand);
    },
    versionTimes: (arn) =>
      send({ operation: 'count', secret: arn }, () =>
        [...open(arn).versions.values()].map(({ createdAt }) => createdAt),
      ),
  };
}

function fail(code: 'promotion_conflict' | 'version_id_taken' | 'version_budget', why: string): never {
  throw new ReplicationError(code, why);
}

const idAt = ({ versions }: Secret, label: string): string | undefined =>
  [...versions].find(([, { labels }]) => labels.has(label))?.[0];

function valueAt(secret: Secret, label: string): string | undefined {
  const id = idAt(secret, label);
  return id === undefined ? undefined : secret.versions.get(id)?.value;
}

/** A label stands at one version only. */
function moveLabel({ versions }: Secret, label: string, to: string): void {
  for (const [id, { labels }] of versions) {
    if (id === to) labels.add(label);
    else labels.delete(label);
  }
}

/** AWSPREVIOUS follows by itself to where AWSCURRENT was. */
function moveCurrent(secret: Secret, to: string): void {
  const from = idAt(secret, CURRENT);
  if (from === to) return;
  if (from !== undefined) moveLabel(secret, PREVIOUS, from);
  secret.versions.get(to)?.labels.delete(PREVIOUS);
  moveLabel(secret, CURRENT, to);
  secret.history.push(valueAt(secret, CURRENT) ?? '');
}

/** Past the limit AWS drops what it may. */
function prune({ versions }: Secret, now: number): void {
  for (const [id, { labels, createdAt }] of versions) {
    if (versions.size < MAX_VERSIONS) return;
    if (labels.size === 0 && now - createdAt > KEPT_FOR) versions.delete(id);
  }
}

/** The first version gets AWSCURRENT whatever label was asked for; a create asks for none. */
function putVersion(secret: Secret, id: string, value: string, label: string | undefined, createdAt: number): void {
  if (!secret.versions.has(id)) secret.versions.set(id, { value, createdAt, labels: new Set() });
  if (label !== undefined) moveLabel(secret, label, id);
  if (idAt(secret, CURRENT) === undefined) moveCurrent(secret, id);
}

/** As DescribeSecret tells it: unlabelled versions are not listed. */
const stateOf = (secret: Secret): DestinationState => ({
  arn: secret.arn,
  tags: Object.fromEntries(secret.tags),
  stages: new Map(
    [...secret.versions].flatMap(([id, { labels }]) => (labels.size > 0 ? [[id, [...labels]] as const] : [])),
  ),
  scheduledForDeletion: secret.scheduledForDeletion,
  rotationEnabled: secret.rotationEnabled,
  replicas: secret.replicas,
  ...(secret.owningService !== undefined && { owningService: secret.owningService }),
});
