import { readLetter } from '../../src/dead-letters/letter.ts';
import { sendBack } from '../../src/dead-letters/send-back.ts';
import { encodeChange, encodeMessage, sweepGroup } from '../../src/queue/message.ts';
import type { KvState, KvVersion } from '../fakes/kv.ts';
import { type ByHand, editByHand } from './by-hand.ts';
import { entryOf, systemEntry } from './lines.ts';
import { type Deed, type Line, MOUNTS, SECRETS, type SecretRef } from './schedule.ts';
import { CANARY } from './watch.ts';
import type { World } from './world.ts';

/** Does what the schedule says that people do, at once, as Vault, AWS and the command line let them. */
export function createPeople(world: World): (deed: Deed) => void {
  const { kv, scheduler, accounts } = world;
  const snapshots: { readonly at: number; readonly state: KvState }[] = [];
  let serial = 0;
  const fresh = (prefix: string) => {
    serial += 1;
    return `${prefix}-${String(serial).padStart(12, '0')}`;
  };
  const value = () => `{"password":"${fresh(CANARY)}","n":12345678901234567890}`;
  const isV1 = (ref: SecretRef) => kv.state.mounts.get(ref.mount)?.kv === 1;
  const refOf = ({ secret }: { readonly secret: number }): SecretRef => SECRETS[secret] ?? SECRETS[0];

  /** The audit line of a change to a path below a mount; `telling` is false where it names no version. */
  const tell = (
    ref: SecretRef,
    line: Line,
    operation: string,
    below: string,
    data?: KvVersion,
    id = fresh('request'),
  ): void => {
    world.changed(ref, line.lost ? 'untold' : data === undefined ? 'without_version' : 'told');
    if (line.lost) return;
    world.deliver(entryOf(ref, operation, `${ref.mount}/${below}`, id, scheduler.wall(), data), line);
  };
  const write = (
    ref: SecretRef,
    line: Line,
    { expires, id = fresh('request') }: { expires?: number | undefined; id?: string } = {},
  ): void => {
    const version = kv.write(ref.mount, ref.path, value(), expires);
    if (version === undefined) return;
    if (isV1(ref)) tell(ref, line, 'update', ref.path, undefined, id);
    else tell(ref, line, 'update', `data/${ref.path}`, version, id);
    if (expires !== undefined) world.changed(ref, 'untold');
    if (expires !== undefined) scheduler.after(expires, () => world.changed(ref, 'untold'));
  };
  const system = (path: string, line: Line) => {
    world.unsettle();
    if (!line.lost) world.deliver(systemEntry(path, fresh('request'), scheduler.wall()), line);
  };
  const send = (body: string, group: string) =>
    void world.queue.publisher.send([{ body, group, deduplicationId: fresh('by-hand') }]);
  const forge = (deed: Extract<Deed, { kind: 'forged' }>) => {
    const ref = refOf(deed);
    const at = new Date(scheduler.wall() + deed.ahead).toISOString();
    const hints = deed.purge ? ({ purge: true } as const) : { version: deed.version, createdTime: at };
    world.changed(ref, 'untold');
    for (const target of world.routes.targets(ref)) {
      send(
        encodeChange(world.config.vault.id, ref, target, { origin: 'audit', kv: 2, auditTime: at, ...hints }),
        target.group,
      );
    }
  };

  const lineOf = (
    { line, ...deed }: { readonly secret: number; readonly line: Line },
    below: string,
    error?: string,
  ) => {
    const ref = refOf(deed);
    const entry = entryOf(ref, 'update', `${ref.mount}/${below}/${ref.path}`, fresh('request'), scheduler.wall());
    world.deliver({ ...entry, ...(error !== undefined && { error }) }, line);
  };
  const change = (deed: Extract<Deed, { kind: keyof typeof LINES }>) => {
    const ref = refOf(deed);
    const plain = isV1(ref);
    if (plain && deed.kind !== 'delete') return;
    if (!kv[plain ? 'purge' : deed.kind](ref.mount, ref.path)) return;
    const [operation, below] = plain ? ['delete', ref.path] : LINES[deed.kind](ref.path);
    tell(ref, deed.line, operation, below);
  };
  const byHand = (deed: ByHand) => {
    for (const account of accounts.values()) {
      world.changed(refOf(deed), 'untold');
      editByHand(account, deed, refOf(deed), () => fresh('00000000-0000-4000-8000'));
    }
  };
  const vault = world.config.vault.id;
  const deeds: { readonly [K in Exclude<Deed['kind'], ByHand['kind']>]: (deed: Extract<Deed, { kind: K }>) => void } = {
    write({ line, commit, expires, ...deed }) {
      const ref = refOf(deed);
      const id = fresh('request');
      const path = `${ref.mount}/data/${ref.path}`;
      // Vault writes this line before it commits, and the change's own after it.
      world.deliver(entryOf(ref, 'update', path, id, scheduler.wall(), undefined, 'request'), line);
      scheduler.after(commit, () => write(ref, line, { expires, id }));
    },
    burst(deed) {
      const line = { lost: false, delay: 1, twice: false };
      for (let n = 0; n < deed.writes; n += 1) scheduler.after(n * deed.every, () => write(refOf(deed), line));
    },
    delete: change,
    undelete: change,
    destroy: change,
    purge: change,
    denied: (deed) => lineOf(deed, 'data', 'permission denied'),
    metadata: (deed) => lineOf(deed, 'metadata'),
    forged: forge,
    snapshot: () => void snapshots.push({ at: scheduler.wall(), state: kv.state }),
    rewind({ line }) {
      const snapshot = snapshots.at(-1);
      if (snapshot === undefined) return;
      kv.restore(snapshot.state);
      world.watch.rewound(snapshot.at, scheduler.wall());
      system('sys/storage/raft/snapshot', line);
    },
    remount({ line, away, kv: version, ...deed }) {
      const mount = MOUNTS[deed.mount] ?? MOUNTS[0];
      kv.disable(mount);
      system(`sys/mounts/${mount}`, line);
      scheduler.after(away, () => {
        if (!kv.state.mounts.has(mount)) kv.enable(mount, version);
        system(`sys/mounts/${mount}`, line);
      });
    },
    operator(deed) {
      const ref = refOf(deed);
      for (const target of world.routes.targets(ref)) {
        send(encodeChange(vault, ref, target, { origin: 'operator' }), target.group);
      }
    },
    redrive: () => redrive(world, () => fresh('redrive')),
    sweep: () => send(encodeMessage({ v: 1, kind: 'sweep', vault, origin: 'operator' }), sweepGroup(vault)),
  };
  return (deed) => (isByHand(deed) ? byHand(deed) : (deeds[deed.kind] as (deed: Deed) => void)(deed));
}

const isByHand = (deed: Deed): deed is ByHand => deed.kind.startsWith('aws:');

/** Operation and path below the mount. */
const LINES = {
  delete: (path: string) => ['delete', `data/${path}`],
  undelete: (path: string) => ['update', `undelete/${path}`],
  destroy: (path: string) => ['update', `destroy/${path}`],
  purge: (path: string) => ['delete', `metadata/${path}`],
} satisfies Record<string, (path: string) => [operation: string, below: string]>;

/** Every letter goes back, as `dlq redrive --all` does it. */
export function redrive(world: World, freshId: () => string): void {
  for (const stored of world.deadLetters.stored()) {
    const letter = { ...readLetter({ ...stored, receipt: '' }, world.config.vault.id), body: stored.body };
    const box = { remove: async () => world.deadLetters.remove(stored.id) };
    void sendBack({ routes: world.routes, publisher: world.queue.publisher, freshId }, box, letter);
  }
}
