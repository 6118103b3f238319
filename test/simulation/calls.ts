import type { Random } from './random.ts';
import { chance, spread } from './random.ts';
import type { Port, Side } from './schedule.ts';
import type { Process, Scheduler } from './scheduler.ts';

/** What goes wrong with one call. */
export interface Fate {
  /** Runs at that side of the effect: the caller dies or stalls. */
  readonly caller?: { readonly side: Side; readonly strike: () => void } | undefined;
  readonly fails?: Side | undefined;
  readonly error?: Error | undefined;
  /** No answer ever comes, and no effect. */
  readonly hangs?: boolean;
  readonly slow?: { readonly side: Side; readonly ms: number } | undefined;
}

export interface Call<T> {
  readonly port: Port;
  readonly operation: string;
  /** Of what; for the trace. */
  readonly about: string;
  /** At the far end, at once; a long poll may take its time. */
  readonly effect: () => T | Promise<T>;
  readonly failure: (why: string) => Error;
  /** After so many ms the caller gives up; the effect may still come. */
  readonly limit?: number | undefined;
}

export interface Calls {
  send<T>(caller: Process, call: Call<T>): Promise<T>;
  /** When the call was made that takes effect right now, in virtual ms. */
  readonly madeAt: number;
  /** How many were made, by port and by operation. */
  readonly counts: ReadonlyMap<string, number>;
}

export type FateOf = (caller: Process, port: Port, operation: string) => Fate;

/** Every call's way there and back takes its own while, so that any two interleave. */
export function createCalls(
  scheduler: Scheduler,
  random: Random,
  fateOf: FateOf,
  trace: (text: () => string) => void,
): Calls {
  const counts = new Map<string, number>();
  let madeAt = 0;
  const count = (of: string) => counts.set(of, (counts.get(of) ?? 0) + 1);
  const delay = () => (chance(random, 0.03) ? spread(random, 100, 4_000) : spread(random, 0.5, 40));

  return {
    counts,
    get madeAt() {
      return madeAt;
    },
    send: <T>(caller: Process, call: Call<T>) =>
      new Promise<T>((resolve, reject) => {
        const { port, operation, about, effect, failure, limit } = call;
        const name = () => `${caller.name} ${port} ${operation} ${about}`;
        count(port);
        count(operation);
        const fate = fateOf(caller, port, operation);
        const slow = (side: Side) => (fate.slow?.side === side ? fate.slow.ms : 0);
        const strike = (side: Side) => fate.caller?.side === side && fate.caller.strike();
        const made = scheduler.now;
        let answered = false;
        const answer = (after: number, give: () => void, text: () => string) =>
          scheduler.after(
            after,
            () => {
              if (answered) return;
              answered = true;
              trace(() => `  ${name()} -> ${text()}`);
              give();
            },
            caller,
          );
        const fail = (why: string) => {
          const error = fate.error ?? failure(why);
          answer(
            delay() + slow('after'),
            () => reject(error),
            () => (error.name === 'Error' ? why : error.name),
          );
        };
        if (limit !== undefined)
          answer(
            limit,
            () => reject(failure('TimeoutError')),
            () => 'gave up',
          );
        strike('before');
        if (fate.hangs === true) {
          trace(() => `  ${name()} ... hangs`);
          return;
        }
        if (fate.fails === 'before') return fail('failed before');
        // A caller that stalls before the call has not sent it yet; one that dies may have.
        const unsent = caller.alive ? Math.max(0, caller.stalledUntil - made) : 0;
        scheduler.after(unsent + delay() + slow('before'), () => {
          trace(() => `  ${name()} takes effect`);
          madeAt = made;
          void (async () => effect())().then(
            (value) => {
              strike('after');
              if (fate.fails === 'after') fail('failed after');
              else
                answer(
                  delay() + slow('after'),
                  () => resolve(value),
                  () => shown(value),
                );
            },
            (error: Error) =>
              answer(
                delay(),
                () => reject(error),
                () => `${error.name} ${error.message}`,
              ),
          );
        });
      }),
  };
}

const shown = (value: unknown): string =>
  value === undefined ? 'ok' : Array.isArray(value) ? `${value.length}` : 'ok';
