import type { Clock } from '../clock.ts';

/** A part that the program cannot work without; rejects, or resolves to false, when it is not able. */
export interface Part {
  readonly name: string;
  readonly able: () => boolean | Promise<unknown>;
}

export interface Readiness {
  /** Names of the parts that are not able; empty when all is well. */
  lacking(): Promise<readonly string[]>;
}

/** A part that has not answered by then is not able, in ms. */
const ANSWER_WITHIN = 2_000;
/** An answer is good for so long, in ms: probes of many watchers cost one. */
const GOOD_FOR = 1_000;

/** Asks every part anew, side by side, so that what it says is true now and not when something last went well. */
export function createReadiness(parts: readonly Part[], clock: Clock): Readiness {
  let asked: { readonly at: number; readonly answer: Promise<readonly string[]> } | undefined;
  const ask = async () => {
    const able = await Promise.all(parts.map((part) => isAble(part, clock)));
    return parts.flatMap(({ name }, index) => (able[index] === true ? [] : [name]));
  };
  return {
    lacking() {
      const now = clock.monotonic();
      if (asked === undefined || now - asked.at > GOOD_FOR) asked = { at: now, answer: ask() };
      return asked.answer;
    },
  };
}

async function isAble({ able }: Part, clock: Clock): Promise<boolean> {
  const late = new AbortController();
  const answer = (async () => (await able()) !== false)().catch(() => false);
  const result = await Promise.race([answer, clock.sleep(ANSWER_WITHIN, late.signal).then(() => false)]);
  late.abort();
  return result;
}
