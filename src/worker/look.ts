import type { Clock } from '../clock.ts';
import { ReplicationError, toReplicationError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type ChangeMessage, parseMessage, type SweepMessage } from '../queue/message.ts';
import type { Publisher, Received } from '../queue/ports.ts';
import { formatRef } from '../replicate/ref.ts';
import type { OnWritten, Order, Replicated } from '../replicate/replicate.ts';
import type { Routes, Target } from '../replicate/routes.ts';
import { compactTime, isOlder, type Moment, momentOf } from '../replicate/version-id.ts';
import type { Settlement } from './consumer.ts';
import { letter } from './park.ts';
import { verdict } from './verdict.ts';

/** A message whose body could be read. */
export interface Read<M> {
  readonly received: Received;
  readonly message: M;
}

export interface LookOptions {
  readonly vault: string;
  readonly routes: Routes;
  readonly replicators: ReadonlyMap<string, (order: Order, onWritten: OnWritten) => Promise<Replicated>>;
  readonly deadLetters: Publisher;
  readonly sweep: (requests: readonly Read<SweepMessage>[]) => Promise<Settlement>;
  readonly maxReceives: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
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
export function createLook(options: LookOptions): (messages: readonly Received[]) => Promise<Settlement> {
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
        settlements.push(await fail(options, [{ received, message: undefined }], error));
      }
    }
    for (const same of changes.values()) settlements.push(await serve(options, same));
    if (sweeps.length > 0) settlements.push(await options.sweep(sweeps));
    return {
      acknowledge: settlements.flatMap(({ acknowledge }) => acknowledge),
      hide: settlements.flatMap(({ hide }) => hide),
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

async function serve(options: LookOptions, messages: ReadChanges): Promise<Settlement> {
  const newest = newestOf(messages);
  try {
    const { target, replicate } = route(options, newest.message);
    const hint = messages.map(({ message }) => momentOfMessage(message)).reduce(later, undefined);
    const { behindHint, wentBack, outcome } = await replicate(
      order(newest.message, target, hint),
      reportWritten(options, newest.message, target),
    );
    if (outcome === 'unchanged') kept(options, newest.message);
    if (wentBack) options.log.warn({ event: 'secret.went_back', ...about(newest.message), code: 'source_stale' });
    if (behindHint) throw stillBehind(newest.message, hint);
    return { acknowledge: messages.map(({ received }) => received), hide: [] };
  } catch (error) {
    return fail(options, messages, error);
  }
}

/** By audit time, then by the order of arrival. */
const newestOf = (messages: ReadChanges): Read<ChangeMessage> =>
  messages.reduce((newest, next) => (timeOf(next) >= timeOf(newest) ? next : newest));

/** In digits of one width: Go trims zeros, so that times do not compare as written. */
const timeOf = ({ message }: Read<ChangeMessage>): string => compactTime(message.auditTime ?? '') ?? '';

function route({ routes, replicators }: LookOptions, message: ChangeMessage) {
  const target = routes.targets(message).find(({ destination }) => destination === message.destination);
  const replicate = replicators.get(message.destination);
  if (target !== undefined && replicate !== undefined) return { target, replicate };
  const text = `no route leads ${formatRef(message)} to the destination "${message.destination}" any more: drop the letter, or route it and redrive`;
  throw new ReplicationError('unrouted', text);
}

/** One order for all: the newest version that any of them told of must be seen, whichever message came last. */
function order(newest: ChangeMessage, target: Target, hint: Moment | undefined): Order {
  const { namespace, mount, path } = newest;
  const { route, secretName } = target;
  const hintSuperseded = momentOfMessage(newest) === undefined;
  return { ref: { namespace, mount, path }, route, secretName, hint, hintSuperseded };
}

const later = (a: Moment | undefined, b: Moment | undefined): Moment | undefined =>
  a === undefined || (b !== undefined && isOlder(a, b)) ? b : a;

const momentOfMessage = ({ version, createdTime }: ChangeMessage): Moment | undefined =>
  version === undefined || createdTime === undefined ? undefined : momentOf({ version, createdTime });

const about = (message: ChangeMessage) => ({ ref: formatRef(message), destination: message.destination });

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

/**
 * What becomes of messages whose one look failed. Permanent: the newest that is not a sweep's is parked and stands for
 * all; a sweep's finding is refused without a letter, since the next sweep finds it again.
 */
async function fail(
  options: LookOptions,
  messages: readonly Read<ChangeMessage | undefined>[],
  thrown: unknown,
): Promise<Settlement> {
  const error = toReplicationError(thrown);
  const { clock, log, maxReceives, metrics } = options;
  const all = messages.map(({ received }) => received);
  const worst = {
    receives: Math.min(...all.map(({ receives }) => receives)),
    age: clock.now() - Math.min(...all.map(({ sentAt }) => sentAt)),
  };
  const fate = verdict(error, worst, maxReceives, Math.random());
  metrics.failed(error.code);
  const message = messages[0]?.message;
  const fields = { ...(message !== undefined && about(message)), code: error.code, text: error.message };
  if (fate.kind === 'later') {
    log[error.treatment === 'hold' ? 'info' : 'warn']({ event: 'secret.held', ...fields, seconds: fate.seconds });
    return { acknowledge: [], hide: [{ messages: all, seconds: fate.seconds }] };
  }
  const letters = messages.filter(({ message: body }) => body?.origin !== 'sweep');
  const parked = letters.at(-1);
  if (parked === undefined) log.warn({ event: 'secret.refused', ...fields });
  else await park(options, parked, error);
  if (message !== undefined) metrics.replicated(message.destination, parked === undefined ? 'refused' : 'parked');
  return { acknowledge: all, hide: [] };
}

async function park(
  { clock, deadLetters, log }: LookOptions,
  { received, message }: Read<ChangeMessage | undefined>,
  error: ReplicationError,
): Promise<void> {
  const ref = message === undefined ? undefined : formatRef(message);
  const [refused] = await deadLetters.send([letter(received, error, ref, new Date(clock.now()).toISOString())]);
  if (refused !== undefined) throw new ReplicationError('queue_unavailable', 'SQS refused a letter to the DLQ');
  const fields = { code: error.code, text: error.message, receives: received.receives, id: received.id };
  log.warn({ event: 'secret.parked', ...(message !== undefined && about(message)), ...fields });
}
