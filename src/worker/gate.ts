import { backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import { ReplicationError } from '../errors.ts';
import type { Log } from '../log.ts';

/** A probe that has not answered by then has failed, in ms. */
const ANSWER_WITHIN = 4_000;
/** The longest pause between two probes of a part that is down, in seconds. */
const LONGEST_PAUSE = 15;

export const VAULT = 'vault';
export const destinationPart = (name: string): string => `destinations.${name}`;

/** Asks a part something harmless: resolves when it is up. A refusal (throttled, forbidden) is an answer as well. */
export type Probe = () => Promise<unknown>;

/** What the worker cannot work without: `vault`, and at least one of `destinations.*`. */
export interface Gate {
  /** Asks a part that failed; true when it is down. From then on it is asked again and again until it answers. */
  suspect(part: string): Promise<boolean>;
  isDown(part: string): boolean;
  /** Whether nothing can be done at all: Vault is down, or every destination is. */
  closed(): boolean;
  /** Resolves when the gate is open, or the signal aborts. */
  open(signal: AbortSignal): Promise<void>;
  /** Resolves when the part is up, or the signal aborts. */
  up(part: string, signal: AbortSignal): Promise<void>;
  /** Every part, and whether it is down. */
  parts(): ReadonlyMap<string, boolean>;
}

export interface GateOptions {
  readonly probes: ReadonlyMap<string, Probe>;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the probing. */
  readonly signal: AbortSignal;
}

/** An outage is told by two lines, `consumer.paused` and `consumer.resumed`, whatever fails during it. */
export function createGate({ probes, clock, log, signal }: GateOptions): Gate {
  const down = new Set<string>();
  const turning = createBell();
  const destinations = [...probes.keys()].filter((part) => part !== VAULT);
  const ask = shared((part) => trouble(part, probes.get(part), clock));
  const closed = () =>
    down.has(VAULT) || (destinations.length > 0 && destinations.every((destination) => down.has(destination)));

  const probeUntilUp = async (part: string, since: number) => {
    for (let failures = 1; down.has(part); failures += 1) {
      await clock.sleep(Math.min(LONGEST_PAUSE, backoff(failures, Math.random())) * 1000, signal);
      if (signal.aborted) return;
      if ((await ask(part)) === undefined) down.delete(part);
    }
    log.info({ event: 'consumer.resumed', reason: part, seconds: Math.round((clock.monotonic() - since) / 1000) });
    turning.ring();
  };
  const until = async (condition: () => boolean, ending: AbortSignal) => {
    while (!condition() && !ending.aborted) await turning.heard(ending);
  };
  return {
    async suspect(part) {
      if (down.has(part)) return true;
      const error = await ask(part);
      if (error === undefined) return false;
      if (!down.has(part)) {
        down.add(part);
        log.warn({ event: 'consumer.paused', reason: part, err: error });
        void probeUntilUp(part, clock.monotonic());
      }
      return true;
    },
    isDown: (part) => down.has(part),
    closed,
    open: (ending) => until(() => !closed(), ending),
    up: (part, ending) => until(() => !down.has(part), ending),
    parts: () => new Map([...probes.keys()].map((part) => [part, down.has(part)])),
  };
}

/** Why the part is down; undefined when it answers. */
async function trouble(part: string, probe: Probe | undefined, clock: Clock): Promise<unknown> {
  const late = new AbortController();
  const answer = (async () => probe?.())().then(
    () => undefined,
    (error: unknown) => (isAnswer(error) ? undefined : error),
  );
  const silence = clock.sleep(ANSWER_WITHIN, late.signal).then(() => noAnswer(part));
  const result = await Promise.race([answer, silence]);
  late.abort();
  return result;
}

const isAnswer = (error: unknown): boolean => error instanceof ReplicationError && error.treatment !== 'pausing';

const noAnswer = (part: string) =>
  new ReplicationError(
    part === VAULT ? 'source_unavailable' : 'destination_unavailable',
    `${part} gave no answer within ${ANSWER_WITHIN / 1000} s`,
  );

/** Whoever asks while a question is on its way gets that one's answer. */
function shared<T>(ask: (part: string) => Promise<T>): (part: string) => Promise<T> {
  const asked = new Map<string, Promise<T>>();
  return (part) => {
    const running = asked.get(part) ?? ask(part).finally(() => asked.delete(part));
    asked.set(part, running);
    return running;
  };
}

/** Wakes everybody who waits for its next ring. */
function createBell() {
  const waiting = new Set<() => void>();
  return {
    ring() {
      for (const wake of waiting) wake();
    },
    heard: (signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        const wake = () => {
          waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        waiting.add(wake);
        signal.addEventListener('abort', wake);
      }),
  };
}
