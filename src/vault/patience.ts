/** So many refusals, and nothing else, and no more secrets of the mount are asked about. */
const MOST_REFUSED = 20;
/** So many answers in a row that tell of an outage end it... */
const OUT_IN_A_ROW = 5;
/** ...and so many in all, where they are more than a tenth. */
const OUT_IN_ALL = 20;

/** How long it is worth to ask a mount for the metadata of one secret after another. */
export interface Patience {
  /** Takes note of an answer's status; false when it is no single secret's trouble: Vault has too much to do, or is down. */
  goesOn(status: number): boolean;
  /** The policy shows no metadata at all, as far as was seen: another request would be in vain. */
  isHidden(): boolean;
}

/** `onRefused`: at the first secret whose metadata the policy does not show. */
export function createPatience(onRefused: () => void): Patience {
  let [asked, refused, out, row] = [0, 0, 0, 0];
  return {
    goesOn(status) {
      asked += 1;
      if (status === 403) {
        refused += 1;
        if (refused === 1) onRefused();
      }
      if (!isOutage(status)) {
        row = 0;
        return true;
      }
      row += 1;
      out += 1;
      return row < OUT_IN_A_ROW && (out < OUT_IN_ALL || out * 10 <= asked);
    },
    isHidden: () => refused >= MOST_REFUSED && refused === asked,
  };
}

/** Too many requests, a failure, or a server that is sealed: no answer about what was asked for. */
export const isOutage = (status: number): boolean => status === 429 || status >= 500;
