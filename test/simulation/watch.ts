import type { LogFields } from '../../src/log.ts';
import type { Outgoing } from '../../src/queue/ports.ts';
import type { SecretRef } from '../../src/replicate/ref.ts';
import { sourceTag, TAG_ABSENT, TAG_SOURCE, TAG_VAULT } from '../../src/replicate/tags.ts';
import { compactTime, isOlder, isOurId, type Moment, momentOfId, versionId } from '../../src/replicate/version-id.ts';
import { CURRENT, idAt, type Observer, type Secret } from '../fakes/account.ts';
import { isPresent, type Kv, type KvState, versionsIn } from '../fakes/kv.ts';
import { LONGEST_LAG } from './schedule.ts';
import { watchDeletions } from './watch-sweeps.ts';
import { watchVersions } from './watch-versions.ts';

/** Stands in every value, and nowhere else. */
export const CANARY = 'S3CRET';
/** How long what was read from Vault may be acted upon, and what a read may take, in ms. */
const FRESH_FOR = 10_000;

/** `deletion.grace` of the simulated configuration, in ms. */
const GRACE = 5 * 60_000;

export interface Watch {
  readonly violations: readonly string[];
  violate(what: string): void;
  readonly observe: Observer;
  /** The worker has seen the secret as it is now. */
  described(actor: string, secret: Secret): void;
  /** Vault went back to what it was at `then`; wall clock, ms. */
  rewound(then: number, now: number): void;
  sent(message: Outgoing): void;
  /** Vault answered a LIST. */
  listed(actor: string, path: string, refused: boolean): void;
  logged(actor: string, fields: LogFields): void;
  /** SQS let the worker keep a message for longer. */
  extended(actor: string): void;
  /** The worker sends a DeleteSecret. */
  deletes(actor: string, arn: string): void;
}

interface Options {
  readonly vault: string;
  /** The ref of a copy's name. */
  readonly refOf: (name: string) => SecretRef | undefined;
  readonly kv: Kv;
  readonly wall: () => number;
  /** Virtual time, in ms. */
  readonly now: () => number;
  /** How long ago the call was made that takes effect right now, in ms. */
  readonly callAge: () => number;
  /** Whether copies may be deleted at all. */
  readonly deletes: boolean;
  /** Whether some of Vault's answers are old. */
  readonly standbys: boolean;
}

type Tags = ReadonlyMap<string, string>;

/** What must hold at every step. */
export function createWatch(options: Options): Watch {
  const violations: string[] = [];
  const violate = (what: string) => void violations.push(what);
  const forward = watchCurrent(options, violate);
  const owners = watchOwners(options, violate);
  const proof = watchProof(options, owners.seenAtDeletion, violate);
  const putIds = watchPutIds(violate);
  const listings = watchListings(violate);
  const versions = watchVersions(options.wall, violate);
  const deletions = watchDeletions(options.now, violate);
  return {
    violations,
    violate,
    observe(operation, actor, secret, before) {
      const { description, tags } = secret;
      if ([description, ...tags.keys(), ...tags.values()].some(isRevealing)) violate('promise 1: a value in a tag');
      if (operation === 'create' || operation === 'put') putIds(secret);
      if (actor !== 'hand') {
        versions(actor, secret);
        if (operation !== 'create') owners.check(operation, actor, secret, before.tags);
        proof(operation, actor, secret, before.tags);
      }
      if (idAt(secret, CURRENT) !== before.current) forward.moved(actor, secret);
    },
    described: owners.described,
    rewound: forward.rewound,
    sent({ body, attributes = {} }) {
      if (isRevealing(`${body}${JSON.stringify(attributes)}`)) violate('promise 1: a value in a message');
    },
    listed: listings.answered,
    extended: deletions.extended,
    deletes(actor, arn) {
      owners.deletes(actor, arn);
      deletions.sends(actor, arn);
    },
    logged(actor, fields) {
      listings.logged(actor, fields);
      deletions.logged(actor, fields);
      const { err } = fields;
      const text = err instanceof Error ? `${err.message}${String(err.cause ?? '')}` : '';
      if (isRevealing(`${JSON.stringify(fields)}${text}`))
        violate(`promise 1: a value in the log line ${fields.event}`);
    },
  };
}

const isRevealing = (text: string): boolean => text.includes(CANARY);

type Violate = (what: string) => void;

/** Promise 1: what an id of a KV v1 value is made of comes back in no other id, whatever the value. */
function watchPutIds(violate: Violate) {
  const known = new Map<string, string>();
  return ({ name, versions }: Secret) => {
    for (const id of versions.keys()) {
      if (!id.startsWith('k1-')) continue;
      const made = id.slice(-24);
      const other = known.get(made);
      known.set(made, id);
      if (other !== undefined && other !== id) violate(`promise 1: two ids of ${name} end alike: ${other} and ${id}`);
    }
  };
}

/** Promise 8: what could not be listed is unknown, and its sweep incomplete. A refused request may be made once more. */
function watchListings(violate: Violate) {
  const refused = new Map<string, Set<string>>();
  return {
    answered(actor: string, path: string, isRefused: boolean) {
      const paths = refused.get(actor) ?? new Set();
      refused.set(actor, paths);
      if (isRefused) paths.add(path);
      else paths.delete(path);
    },
    logged(actor: string, { event, result }: LogFields) {
      if (event === 'sweep.started') refused.delete(actor);
      if (event === 'sweep.finished' && result === 'complete' && (refused.get(actor)?.size ?? 0) > 0)
        violate('promise 8: a sweep is complete, and Vault refused one of its listings');
    },
  };
}

/** How long ago a value that is promoted may have been written, in ms: longer than any simulation. */
const EVER = 7 * 24 * 60 * 60_000;

/** Promise 4. Where no standby answers, a hand in AWS is no excuse either: what follows it is what Vault has. */
function watchCurrent({ kv, refOf, standbys }: Options, violate: Violate) {
  const highest = new Map<string, Moment>();
  /** Of KV v1, whose ids do not tell: when the value was written. A standby's old answer is no fault there. */
  const written = (secret: Secret, id: string): Moment | undefined => {
    const ref = refOf(secret.name);
    if (ref === undefined || standbys || !id.startsWith('k1-')) return undefined;
    const value = secret.versions.get(id)?.value;
    const version = kv
      .statesOf(EVER)
      .flatMap((state) => versionsIn(state, ref.mount, ref.path))
      .findLast((each) => each.value === value);
    return version && { time: compactTime(version.createdTime) ?? '', version: version.version };
  };
  const undone: { readonly from: string; readonly to: string }[] = [];
  const isUndone = ({ time }: Moment) => undone.some(({ from, to }) => time > from && time <= to);
  const check = (secret: Secret, id: string, moment: Moment | undefined, before: Moment | undefined) => {
    if (!isOurId(id)) violate(`promise 4: AWSCURRENT of ${secret.name} at ${id}, which is none of ours`);
    else if (moment !== undefined && before !== undefined && isOlder(moment, before) && !isUndone(before)) {
      violate(`promise 4: AWSCURRENT of ${secret.name} went from ${before.time} v${before.version} back to ${id}`);
    }
  };
  return {
    moved(actor: string, secret: Secret) {
      const id = idAt(secret, CURRENT) ?? '';
      const moment = momentOfId(id) ?? written(secret, id);
      if (actor === 'hand' && !standbys) return;
      if (actor !== 'hand') check(secret, id, moment, highest.get(secret.arn));
      if (moment === undefined) highest.delete(secret.arn);
      else highest.set(secret.arn, moment);
    },
    rewound: (then: number, now: number) => void undone.push({ from: compact(then), to: compact(now) }),
  };
}

const compact = (ms: number): string => compactTime(new Date(ms).toISOString()) ?? '';

/** Promise 5: nothing is done to a secret that was foreign already when the worker looked. */
function watchOwners({ vault, refOf, kv, callAge, standbys }: Options, violate: Violate) {
  /** Tags as each worker last saw them, by worker and ARN. */
  const seen = new Map<string, Tags>();
  const atDeletion = new Map<string, Tags | undefined>();
  const owned = ({ name }: Secret, tags: Tags): boolean => {
    const ref = refOf(name);
    if (ref === undefined || tags.get(TAG_VAULT) !== vault || tags.get(TAG_SOURCE) !== sourceTag(ref)) return false;
    const age = callAge() + FRESH_FOR + (standbys ? LONGEST_LAG : 0);
    return kv.statesOf(age).some(({ mounts }) => mounts.get(ref.mount)?.accessor === accessorOf(tags));
  };
  return {
    deletes: (actor: string, arn: string) => void atDeletion.set(`${actor} ${arn}`, seen.get(`${actor} ${arn}`)),
    /** As it was when the worker sent the deletion: it may have looked again since. Undefined when it never looked. */
    seenAtDeletion: (actor: string, { arn }: Secret): Tags | undefined => atDeletion.get(`${actor} ${arn}`),
    described: (actor: string, secret: Secret) => void seen.set(`${actor} ${secret.arn}`, new Map(secret.tags)),
    check(operation: string, actor: string, secret: Secret, tags: Tags) {
      const before = seen.get(`${actor} ${secret.arn}`);
      if (before === undefined) violate(`promise 5: ${operation} of ${secret.arn}, which ${actor} never looked at`);
      else if (!owned(secret, tags) && !owned(secret, before)) {
        violate(`promise 5: ${operation} of the foreign ${secret.arn}`);
      }
    },
  };
}

const TAG_MOUNT = 'vaultferry:mount';
const accessorOf = (tags: Tags): string => tags.get(TAG_MOUNT)?.split(' ')[0] ?? '';

/** Promises 4 and 6: whatever is promoted, marked, unmarked or restored was so in Vault shortly before the call was made. */
function watchProof(
  { refOf, kv, wall, callAge, standbys, deletes }: Options,
  seen: (actor: string, secret: Secret) => Tags | undefined,
  violate: Violate,
) {
  const proven = (secret: Secret, test: (state: KvState, ref: SecretRef) => boolean): boolean => {
    const ref = refOf(secret.name);
    const states = kv.statesOf(callAge() + FRESH_FOR + (standbys ? LONGEST_LAG : 0));
    return ref !== undefined && states.some((state) => test(state, ref));
  };
  const latest = (state: KvState, { mount, path }: SecretRef) => versionsIn(state, mount, path).at(-1);
  const present = (state: KvState, ref: SecretRef) => {
    const version = latest(state, ref);
    return version !== undefined && !version.destroyed && !isPast(version.deletionTime, wall() - callAge() - FRESH_FOR);
  };
  const hasMount = (secret: Secret) => (state: KvState, ref: SecretRef) => {
    const mount = state.mounts.get(ref.mount);
    return mount !== undefined && secret.tags.get(TAG_MOUNT) === `${mount.accessor} v${mount.kv}`;
  };
  const isAbsent = (state: KvState, ref: SecretRef) => !isPresent(latest(state, ref), wall());
  /** A standby may tell of a mount that the node which told of the secret no longer has. */
  const absent = (secret: Secret): boolean =>
    standbys
      ? proven(secret, hasMount(secret)) && proven(secret, isAbsent)
      : proven(secret, (state, ref) => hasMount(secret)(state, ref) && isAbsent(state, ref));
  const checkTags = (secret: Secret, before: Tags) => {
    const mark = secret.tags.get(TAG_ABSENT);
    if (mark === before.get(TAG_ABSENT)) return;
    if (mark !== undefined && !absent(secret)) violate(`promise 6: ${secret.name} was marked as absent, and was not`);
    if (mark === undefined && !proven(secret, present))
      violate(`promise 6: the mark of ${secret.name} was taken off, and it was absent`);
  };
  /** Promise 6: only where it was asked for, after the grace, and on proof. The call itself may be overtaken. */
  const checkDeletion = (actor: string, secret: Secret) => {
    const since = Date.parse(seen(actor, secret)?.get(TAG_ABSENT)?.split(' ')[0] ?? '');
    if (!deletes) violate(`promise 6: ${secret.name} was deleted, and copies are to be kept`);
    else if (!(since + GRACE <= wall() - callAge()))
      violate(`promise 6: ${secret.name} was deleted before its grace had passed`);
    else if (!absent(secret)) violate(`promise 6: ${secret.name} was deleted, and was not absent`);
  };
  return (operation: string, actor: string, secret: Secret, before: Tags) => {
    if (operation === 'delete') checkDeletion(actor, secret);
    if (operation === 'tag' || operation === 'untag') checkTags(secret, before);
    if (operation === 'restore' && !proven(secret, present))
      violate(`promise 6: ${secret.name} was restored, and was absent`);
    const id = idAt(secret, CURRENT);
    const isLatest = (state: KvState, ref: SecretRef) => {
      const version = latest(state, ref);
      if (version === undefined || id === undefined) return false;
      return versionId(ref, version) === id || secret.versions.get(id)?.value === version.value;
    };
    if (operation === 'promote' && !proven(secret, isLatest))
      violate(`promise 4: ${id} of ${secret.name} was promoted, and was no more Vault's`);
  };
}

const isPast = (deletionTime: string, at: number): boolean => deletionTime !== '' && Date.parse(deletionTime) <= at;
