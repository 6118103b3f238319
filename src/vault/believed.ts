import type { Sensitive } from '../sensitive.ts';
import type { Standing } from './standing.ts';

/** What a refusal of a token says, and whether there is another token now. */
export interface Verdict {
  readonly standing: Standing;
  readonly changed: boolean;
}

type Judge = (used: Sensitive<string>) => Promise<Verdict>;

/**
 * Judges a refused token, and says whether that was done for another refusal: at the same time, or, where the token was
 * found to stand, at most `lasts` ms ago (0: never). So a policy that hides many secrets does not have the token looked up
 * for each.
 */
export function createBelieved(
  judge: Judge,
  lasts: number,
  now: () => number,
): (used: Sensitive<string>) => Promise<Verdict & { readonly believed: boolean }> {
  let last: { readonly token: string; readonly verdict: Promise<Verdict>; until: number } | undefined;
  return async (used) => {
    const token = used.reveal();
    if (last?.token === token && now() < last.until) return { ...(await last.verdict), believed: true };
    const mine = { token, verdict: judge(used), until: lasts > 0 ? Number.POSITIVE_INFINITY : 0 };
    last = mine;
    try {
      const verdict = await mine.verdict;
      mine.until = verdict.standing === 'stands' && !verdict.changed ? now() + lasts : 0;
      return { ...verdict, believed: false };
    } catch (error) {
      mine.until = 0;
      throw error;
    }
  };
}
