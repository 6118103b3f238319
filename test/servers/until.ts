import { setTimeout as delay } from 'node:timers/promises';

export interface Wait {
  /** What is waited for, as the end of "Waited N ms for …". */
  readonly what: string;
  /** Milliseconds; 30 s unless told. */
  readonly deadline?: number;
  /** Milliseconds between two tries; unless told, a tenth of the wait so far, and 15 to 200. */
  readonly interval?: number;
}

type Falsy = undefined | null | false | '' | 0;

/**
 * Tries `check` until it answers something truthy, which is the result. A throw counts as "not yet".
 * Past the deadline it fails with `what`, and with the last error as its cause.
 */
export async function until<T>(check: () => T | Promise<T>, wait: Wait): Promise<Exclude<T, Falsy>> {
  const { what, deadline = 30_000, interval } = wait;
  const began = performance.now();
  for (;;) {
    const last = await attempt(check);
    if ('value' in last && last.value) return last.value as Exclude<T, Falsy>;
    const waited = performance.now() - began;
    if (waited >= deadline) throw expired(what, deadline, last);
    await delay(interval ?? Math.min(Math.max(15, waited / 10), 200)); // a try may cost the servers more than the wait
  }
}

type Attempt<T> = { readonly value: T } | { readonly error: unknown };

async function attempt<T>(check: () => T | Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await check() };
  } catch (error) {
    return { error };
  }
}

function expired(what: string, deadline: number, last: Attempt<unknown>): Error {
  const text = `Waited ${deadline} ms for ${what}`;
  if (!('error' in last)) return new Error(text);
  const why = last.error instanceof Error ? last.error.message : String(last.error);
  return new Error(`${text}; the last try failed: ${why}`, { cause: last.error });
}
