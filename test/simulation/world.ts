import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { Log, LogFields } from '../../src/log.ts';
import { escapeName } from '../../src/replicate/name.ts';
import { formatRef, type SecretRef } from '../../src/replicate/ref.ts';
import { createRoutes, type Routes } from '../../src/replicate/routes.ts';
import { TAG_ABSENT } from '../../src/replicate/tags.ts';
import { type Account, createAccount, type Observer } from '../fakes/account.ts';
import { createKv, isPresent, type Kv } from '../fakes/kv.ts';
import { createFakeQueue, type FakeQueue } from '../fakes/queue.ts';
import { type Calls, createCalls } from './calls.ts';
import { createFaults, type Faults } from './faults.ts';
import { type Ingress, startIngress } from './ingress.ts';
import type { Ends } from './ports.ts';
import { between, createRandom } from './random.ts';
import { type Line, MOUNTS, type Schedule, SECRETS } from './schedule.ts';
import { createScheduler, type Process, type Scheduler } from './scheduler.ts';
import { createWatch, type Watch } from './watch.ts';
import { startWorker, type WorkerWorld } from './worker.ts';

/** The longest that a worker waits for an answer of AWS, in ms. */
const GIVEN_UP_AFTER = 10_000;

/** What SQS itself does with a message that was received so often (the README's redrive policy). */
const MAX_RECEIVE_COUNT = 100;

/** How a change came to be known: with its version, without one, or not at all, so that only a sweep can find it. */
export type Telling = 'told' | 'without_version' | 'untold';

export interface World {
  readonly config: Config;
  readonly routes: Routes;
  readonly scheduler: Scheduler;
  readonly kv: Kv;
  readonly accounts: ReadonlyMap<string, Account>;
  readonly queue: FakeQueue;
  readonly deadLetters: FakeQueue;
  readonly calls: Calls;
  readonly faults: Faults;
  readonly watch: Watch;
  readonly trace: (text: () => string) => void;
  /** When a person last changed anything, in virtual ms. */
  readonly lastChange: number;
  changed(ref: SecretRef, telling: Telling): void;
  /** Nothing is known of how far the push goes, for any secret. */
  unsettle(): void;
  /** Whether the push alone must have carried the secret's last state. */
  isPushed(ref: SecretRef): boolean;
  /** Sends a line to the ingress, as its audit device would. */
  deliver(entry: object, line: Line): void;
  /** Refs whose refusal a worker told of, with the code, since the last `forgetRefusals`. */
  readonly refusals: ReadonlySet<string>;
  /** Whether the last sweep that ended saw everything. */
  readonly sweptAll: () => boolean;
  /** The conflicts that sweeps counted since, by destination. */
  readonly conflicts: ReadonlyMap<string, number>;
  forgetRefusals(): void;
  /** How many more messages were said to be parked than letters came. */
  readonly lettersLost: number;
  /** Ends every stall, and starts again whatever is down. */
  wakeAll(): void;
  /** Lines that are under way. */
  readonly linesUnderWay: number;
}

/** Parsed once for each kind of world: it takes longer than many a simulation. */
const configOf = (() => {
  const parsed = new Map<string, Config>();
  return ({ destinations, deletes }: Schedule): Config => {
    const key = JSON.stringify([destinations, deletes]);
    const known = parsed.get(key) ?? parseConfig(JSON.stringify(file(destinations, deletes)), {});
    parsed.set(key, known);
    return known;
  };
})();

const names = (count: number) => ['first', 'second'].slice(0, count);

const file = (destinations: number, deletes: boolean) => ({
  vault: { id: 'prod', address: 'http://127.0.0.1:8200', auth: { method: 'token', token: 'x' } },
  queue: {
    url: 'http://127.0.0.1:5000/123456789012/vaultferry.fifo',
    deadLetterUrl: 'http://127.0.0.1:5000/123456789012/vaultferry-dlq.fifo',
  },
  routes: MOUNTS.map((mount) => ({ mount, to: names(destinations), kvVersion: 'auto' })),
  destinations: Object.fromEntries(
    names(destinations).map((name, index) => [
      name,
      { region: `eu-west-${index + 1}`, ...(deletes && { onDelete: 'schedule', deletion: { grace: '5m' } }) },
    ]),
  ),
});

/** @param write gets the trace, line by line */
export function createWorld(schedule: Schedule, write?: (line: string) => void): World {
  const { seed, workers } = schedule;
  const stream = (name: string) => createRandom(`${name} ${seed}`);
  const base = configOf(schedule);
  const settings: Config = {
    ...base,
    worker: { ...base.worker, concurrency: schedule.concurrency },
    sweep: { ...base.sweep, every: schedule.sweepEvery },
  };
  const scheduler = createScheduler(stream('order'));
  const trace: World['trace'] = (text) => write?.(`${seconds(scheduler.now)} ${text()}`);
  const routes = createRoutes(settings.routes, settings.destinations);
  const kv = createKv(scheduler.wall, MOUNTS, schedule.openbao);
  const copyNames = new Map<string, SecretRef>(SECRETS.map((ref) => [`${ref.mount}/${escapeName(ref.path)}`, ref]));
  const watch = createWatch({
    vault: settings.vault.id,
    refOf: (name) => copyNames.get(name),
    kv,
    wall: scheduler.wall,
    now: () => scheduler.now,
    callAge: () => scheduler.now - calls.madeAt,
    deletes: schedule.deletes,
    standbys: schedule.events.some(({ kind }) => kind === 'standby'),
  });
  /**
   * A mark that comes too late, where another worker saw the secret come back, is no longer the push's to mend; nor is
   * one that fits no more, since a worker that had lost its message moved AWSCURRENT under it; nor is a copy that a call
   * restored, deleted or tagged after its worker had given it up, and after the look that followed: only a sweep can know
   * of it.
   */
  const observe: Observer = (operation, actor, secret, before) => {
    lastChange = scheduler.now;
    watch.observe(operation, actor, secret, before);
    const ref = copyNames.get(secret.name);
    if (ref === undefined) return;
    const marked = secret.tags.has(TAG_ABSENT);
    const present = isPresent(kv.latest(ref.mount, ref.path), scheduler.wall());
    const isGivenUp = scheduler.now - calls.madeAt > GIVEN_UP_AFTER;
    const isLate =
      (operation === 'restore' && !present && !marked) ||
      (operation === 'delete' && present && isGivenUp) ||
      ((operation === 'tag' || operation === 'untag') && isGivenUp) ||
      (marked === before.tags.has(TAG_ABSENT) ? operation === 'promote' && marked && !present : present === marked);
    if (isLate) untold.add(formatRef(ref));
  };
  const requiredTag = schedule.iam ? (['vaultferry:vault', settings.vault.id] as const) : undefined;
  const accounts = new Map(
    names(schedule.destinations).map((name) => [
      name,
      createAccount(scheduler.wall, { region: name, unlabelled: schedule.unlabelled, requiredTag }, observe),
    ]),
  );

  const sqs: Process = { name: 'sqs', alive: true, stalledUntil: 0 };
  const letters = createFakeQueue(scheduler.clockOf(sqs));
  const queue = createFakeQueue(scheduler.clockOf(sqs), 30, {
    maxReceives: MAX_RECEIVE_COUNT,
    move: ({ id }) =>
      watch.violate(`promise 7: ${id} was received ${MAX_RECEIVE_COUNT} times, and no worker parked it`),
  });

  const live: (Process | undefined)[] = [];
  const restarts = new Set<() => void>();
  let lives = 0;
  let ingress: Ingress | undefined;
  let ingressProcess: Process | undefined;
  let lastChange = 0;
  let linesUnderWay = 0;
  const untold = new Set<string>();
  const blind = new Set<string>();
  const refusals = new Set<string>();
  const parked = new Set<string>();
  const conflicts = new Map<string, number>();
  let lastSweep: unknown;

  const start = (name: string): Process => {
    lives += 1;
    return { name: `${name}.${lives}`, alive: true, stalledUntil: 0 };
  };
  const later = (down: number, run: () => void) => {
    const once = () => {
      if (restarts.delete(once)) run();
    };
    restarts.add(once);
    scheduler.after(down, once);
  };
  const beginWorker = (index: number) => {
    const process = start(`w${index}`);
    live[index] = process;
    trace(() => `${process.name} starts`);
    startWorker(wiring, process);
  };
  const beginIngress = () => {
    ingressProcess = start('ingress');
    ingress = startIngress(wiring, ingressProcess);
  };
  const unsettle = () => {
    lastChange = scheduler.now;
    for (const ref of SECRETS) untold.add(formatRef(ref));
  };
  const faults = createFaults(scheduler, stream('faults'), {
    workerOf: (caller) => (live.includes(caller) ? live.indexOf(caller) : undefined),
    crash(caller, down) {
      const index = live.indexOf(caller);
      caller.alive = false;
      live[index] = undefined;
      trace(() => `${caller.name} dies`);
      later(down, () => beginWorker(index));
    },
    ingressCrash(down) {
      if (ingressProcess?.alive !== true) return;
      ingressProcess.alive = false;
      ingress = undefined;
      unsettle();
      trace(() => 'the ingress dies');
      later(down, beginIngress);
    },
    lapse: queue.lapse,
  });
  const calls = createCalls(scheduler, stream('calls'), faults.fateOf, trace);
  const askVault: Ends['askVault'] = ({ name }, path) => {
    const forbidden = faults.forbidden && /^\/(kv|team)\//.test(path);
    if (path.endsWith('/?list=true')) watch.listed(name, path, forbidden);
    if (forbidden) return { status: 403, text: '{"errors":["permission denied"]}' };
    const lag = faults.lag();
    const answer = kv.answer(path, kv.stateAt(lag));
    if (lag > 0 && answer.text !== kv.answer(path, kv.state).text) staleAnswer(path);
    return answer;
  };
  /** Without a version to hold it against, an old answer passes for the truth until a sweep. */
  const staleAnswer = (path: string) => {
    for (const ref of SECRETS) {
      const key = formatRef(ref);
      if (
        blind.has(key) &&
        [`/${ref.mount}/data/${encodeURI(ref.path)}`, `/${ref.mount}/${encodeURI(ref.path)}`].includes(path)
      )
        untold.add(key);
    }
  };
  const lags = stream('listings');
  const ends: Ends = {
    calls,
    askVault,
    onDescribed: ({ name }, secret) => watch.described(name, secret),
    onExtended: ({ name }) => watch.extended(name),
    onDeleteSent: ({ name }, arn) => watch.deletes(name, arn),
    listingLag: () => between(lags, 0, schedule.listingLag),
  };
  const noteSweep = ({ found, result }: LogFields) => {
    lastSweep = result;
    for (const [destination, { conflict = 0 }] of Object.entries(found as Record<string, { conflict?: number }>)) {
      conflicts.set(destination, Math.max(conflict, conflicts.get(destination) ?? 0));
    }
  };
  const log = (process: Process): Log => {
    const line = (fields: LogFields) => {
      watch.logged(process.name, fields);
      trace(() => `  ${process.name} logs ${textOf(fields)}`);
      if (fields.event === 'sweep.finished') noteSweep(fields);
      if (fields.event === 'secret.parked') parked.add(`${String(fields['id'])} ${String(fields['receives'])}`);
      if (fields.event === 'secret.parked' || fields.event === 'secret.refused') {
        refusals.add(`${String(fields['ref'])} ${String(fields['destination'])} ${String(fields['code'])}`);
      }
    };
    return { debug: line, info: line, warn: line, error: line };
  };
  const watched = (to: FakeQueue): Pick<FakeQueue, 'publisher' | 'inbox'> => ({
    inbox: to.inbox,
    publisher: {
      send(batch) {
        for (const message of batch) watch.sent(message);
        return to.publisher.send(batch);
      },
    },
  });
  const wiring: WorkerWorld = {
    config: settings,
    routes,
    scheduler,
    ends,
    accounts,
    queue: watched(queue),
    deadLetters: watched(letters),
    kvVersion: ({ mount }) => kv.state.mounts.get(mount)?.kv,
    log,
  };
  beginIngress();
  for (let index = 0; index < workers; index += 1) beginWorker(index);

  return {
    config: settings,
    routes,
    scheduler,
    kv,
    accounts,
    queue,
    deadLetters: letters,
    calls,
    faults,
    watch,
    trace,
    get lastChange() {
      return lastChange;
    },
    changed(ref, telling) {
      lastChange = scheduler.now;
      const key = formatRef(ref);
      if (telling === 'untold') untold.add(key);
      // The look that a version asks for sees all that was done before it.
      if (telling === 'told') untold.delete(key);
      if (telling === 'without_version') blind.add(key);
      else blind.delete(key);
    },
    unsettle,
    isPushed: (ref) => !untold.has(formatRef(ref)),
    deliver(entry, { delay, twice }) {
      const text = JSON.stringify(entry);
      const times = twice ? 2 : 1;
      for (let time = 1; time <= times; time += 1) {
        linesUnderWay += 1;
        scheduler.after(delay * time, () => {
          linesUnderWay -= 1;
          if (ingress === undefined) unsettle();
          trace(() => `  line ${text}`);
          ingress?.accept(text);
        });
      }
    },
    get linesUnderWay() {
      return linesUnderWay + (ingress?.idle() === false ? 1 : 0);
    },
    get lettersLost() {
      return parked.size - letters.sent.length;
    },
    refusals,
    conflicts,
    sweptAll: () => lastSweep === 'complete',
    forgetRefusals() {
      refusals.clear();
      conflicts.clear();
    },
    wakeAll() {
      for (const process of live)
        if (process !== undefined) process.stalledUntil = Math.min(process.stalledUntil, scheduler.now);
      for (const restart of [...restarts]) restart();
    },
  };
}

/** Virtual ms as a trace shows them. */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(3).padStart(10)} s`;

const textOf = (fields: LogFields): string =>
  JSON.stringify(fields, (_, value: unknown) => (value instanceof Error ? value.message : value));
