import { ReplicationError, toReplicationError } from '../errors.ts';
import { type ChangeMessage, parseMessage, type SweepMessage } from '../queue/message.ts';
import type { Received } from '../queue/ports.ts';
import type { Order } from '../replicate/look-at.ts';
import { checkNotOwn } from '../replicate/own-secret.ts';
import { formatRef } from '../replicate/ref.ts';
import type { OnWritten, Outcome, Replicated } from '../replicate/replicate.ts';
import type { Routes, Target } from '../replicate/routes.ts';
import { compactTime, isOlder, type Moment, momentOf } from '../replicate/version-id.ts';
import { about, type FateOptions, fateOf } from './fate.ts';
import { destinationPart, type Gate, VAULT } from './gate.ts';
import type { Settlement } from './settlement.ts';
import { createStrikes, type Strikes } from './strikes.ts';
import { createTries } from './tries.ts';

/** How far Vault's clock may be ahead of ours, in ms. */
const CLOCK_SKEW = 5 * 60_000;

/** A message whose body could be read. */
export interface Read<M> {
  readonly received: Received;
  readonly message: M;
}

export interface LookOptions extends Omit<FateOptions, 'tries'> {
  readonly vault: string;
  readonly routes: Routes;
  readonly replicators: ReadonlyMap<string, (order: Order, onWritten: OnWritten) => Promise<Replicated>>;
  readonly sweep: (requests: readonly Read<SweepMessage>[]) => Promise<Settlement>;
  readonly gate: Gate;
  /** Aborts when the worker stops: what waits for the gate is given back. */
  readonly signal: AbortSignal;
}

/** What the worker counts; seconds for lag. */
export interface WorkerMetrics {
  replicated(destination: string, outcome: string): void;
  lag(seconds: number): void;
  failed(code: string): void;
}

/**
 * The look of one group's messages: all that name one copy are served by one look, with the newest of their hints.
 * What cannot be read is parked, what failed waits or is parked, the rest is acknowledged.
 */
export function createLook(ports: LookOptions): (messages: readonly Received[]) => Promise<Settlement> {
  const options = { ...ports, tries: createTries(), strikes: createStrikes() };
  return async (messages) => {
    const changes = new Map<string, Read<ChangeMessage>[]>();
    const sweeps: Read<SweepMessage>[] = [];
    const settlements: Settlement[] = [];
    for (const received of messages) {
      try {
        const message = parseMessage(received.body, options.vault);
        if (message.kind === 'sweep') sweeps.push({ received, message });
        else together(changes, copyKey(message), { received, message });
      } catch (error) {
        settlements.push(await fateOf(options, [{ received, message: undefined }], toReplicationError(error)));
      }
    }
    for (const same of changes.values()) settlements.push(await serve(options, same));
    if (sweeps.length > 0) settlements.push(await options.sweep(sweeps));
    return {
      acknowledge: settlements.flatMap(({ acknowledge }) => acknowledge),
      hide: settlements.flatMap(({ hide }) => hide),
      wait: settlements.flatMap(({ wait = [] }) => wait),
    };
  };
}

const copyKey = ({ namespace, mount, path, destination, route }: ChangeMessage) =>
  JSON.stringify([namespace, mount, path, destination, route]);

function together<T>(groups: Map<string, T[]>, key: string, member: T): void {
  const members = groups.get(key);
  if (members === undefined) groups.set(key, [member]);
  else members.push(member);
}

type ReadChanges = readonly Read<ChangeMessage>[];

type Ports = LookOptions & FateOptions & { readonly strikes: Strikes };

/**
 * Looks until there is something to settle. In an outage that leaves nothing to do, the look waits where it is and the
 * heartbeat keeps its messages, so that it costs no receive and goes on at once; in one of some destinations, the
 * messages wait without a place. They are never parked for it.
 */
async function serve(options: Ports, reads: ReadChanges): Promise<Settlement> {
  const { gate, metrics, signal, strikes } = options;
  const messages = reads.map(({ received }) => received);
  const { message } = newestOf(reads);
  const part = destinationPart(message.destination);
  for (;;) {
    await gate.open(signal);
    if (gate.closed()) return { acknowledge: [], hide: [{ messages, seconds: 0 }] };
    if (gate.isDown(part)) return { acknowledge: [], hide: [], wait: [{ messages, part }] };
    const looked = await look(options, reads).catch(toReplicationError);
    if (!(looked instanceof ReplicationError)) {
      if (looked !== 'unchanged') strikes.clear(part);
      return { acknowledge: messages, hide: [] };
    }
    if (!(await isOutage(gate, looked, part))) {
      const widespread = looked.code === 'destination_unavailable' && strikes.add(part, copyKey(message));
      return fateOf(options, reads, looked, widespread);
    }
    metrics.failed(looked.code);
  }
}

async function isOutage(gate: Gate, { code }: ReplicationError, destination: string): Promise<boolean> {
  if (code === 'source_unavailable') return gate.suspect(VAULT);
  return code === 'destination_unavailable' && gate.suspect(destination);
}

async function look(options: LookOptions, messages: ReadChanges): Promise<Outcome> {
  const newest = newestOf(messages);
  const { message } = newest;
  const { target, replicate } = route(options, newest);
  const hint = newestHint(messages, options.clock.now());
  const order = {
    ref: { namespace: message.namespace, mount: message.mount, path: message.path },
    route: target.route,
    secretName: target.secretName,
    hint: hint?.moment,
    sentAt: Math.max(...messages.map(({ received }) => received.sentAt)),
    hintSuperseded: messages.some((other) => other.message.purge === true && timeOf(other) >= (hint?.time ?? '')),
  };
  const { behindHint, wentBack, outcome } = await replicate(order, reportWritten(options, message, target));
  if (outcome === 'unchanged') kept(options, message);
  if (wentBack) options.log.warn({ event: 'secret.went_back', ...about(message), code: 'source_stale' });
  if (behindHint) throw stillBehind(message, hint?.moment);
  return outcome;
}

/** By audit time, then by the order of arrival. */
const newestOf = (messages: ReadChanges): Read<ChangeMessage> =>
  messages.reduce((newest, next) => (timeOf(next) >= timeOf(newest) ? next : newest));

/** In digits of one width: Go trims zeros, so that times do not compare as written. */
const timeOf = ({ message }: Read<ChangeMessage>): string => compactTime(message.auditTime ?? '') ?? '';

/**
 * The message's own route, among today's. One that was renamed since still writes the same thing, which its group tells.
 */
function route({ routes, replicators }: LookOptions, { received, message }: Read<ChangeMessage>) {
  const targets = routes.targets(message).filter(({ destination }) => destination === message.destination);
  const target =
    targets.find(({ route: name }) => name === message.route) ?? targets.find(({ group }) => group === received.group);
  const replicate = replicators.get(message.destination);
  if (target !== undefined && replicate !== undefined) {
    checkNotOwn(target, message);
    return { target, replicate };
  }
  const text = `no route leads ${formatRef(message)} to the destination "${message.destination}" any more: drop the letter, or route it and redrive`;
  throw new ReplicationError('unrouted', text);
}

interface Hint {
  readonly moment: Moment;
  /** Of the entry that told it, comparable. */
  readonly time: string;
}

/**
 * The newest version that any of the messages tells of: it must be seen, whichever message came last. One that lies
 * ahead of our clock by more than clocks differ is made up, and would only keep the secret waiting.
 */
function newestHint(messages: ReadChanges, now: number): Hint | undefined {
  const latest = compactTime(new Date(now + CLOCK_SKEW).toISOString()) ?? '';
  return messages
    .map((read) => ({ moment: momentOfMessage(read.message), time: timeOf(read) }))
    .filter((hint): hint is Hint => hint.moment !== undefined && hint.moment.time <= latest)
    .reduce<Hint | undefined>((a, b) => (a === undefined || isOlder(a.moment, b.moment) ? b : a), undefined);
}

const momentOfMessage = ({ version, createdTime }: ChangeMessage): Moment | undefined =>
  version === undefined || createdTime === undefined ? undefined : momentOf({ version, createdTime });

function reportWritten({ clock, log, metrics }: LookOptions, message: ChangeMessage, target: Target): OnWritten {
  return (outcome, version) => {
    const since = message.auditTime === undefined ? Number.NaN : Date.parse(message.auditTime);
    const moved = outcome === 'created' || outcome === 'updated' || outcome === 'promoted';
    const lagMs = moved && !Number.isNaN(since) ? Math.max(0, clock.now() - since) : undefined;
    metrics.replicated(message.destination, outcome);
    if (lagMs !== undefined) metrics.lag(lagMs / 1000);
    const { secretName } = target;
    const lag = lagMs === undefined ? {} : { lagMs };
    log.info({ event: 'secret.replicated', ...about(message), secretName, outcome, version, ...lag });
  };
}

function kept({ log, metrics }: LookOptions, message: ChangeMessage): void {
  metrics.replicated(message.destination, 'unchanged');
  const fields = { event: 'secret.kept', ...about(message), origin: message.origin };
  if (message.origin === 'sweep') log.debug(fields);
  else log.info(fields);
}

const stillBehind = (message: ChangeMessage, hint: Moment | undefined) =>
  new ReplicationError(
    'source_stale',
    `Vault has not answered with version ${hint?.version} of ${formatRef(message)} yet, which its audit log told of`,
  );
