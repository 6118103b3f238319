/** Copies that fail in a row before it counts as an outage that no probe shows. */
const WIDESPREAD = 3;

/** Which copies failed at a part that answers when it is asked, since one succeeded there: KMS alone may be down. */
export interface Strikes {
  /** True when by now so many different copies have failed that the trouble is the part's. */
  add(part: string, copy: string): boolean;
  clear(part: string): void;
}

export function createStrikes(): Strikes {
  const failed = new Map<string, Set<string>>();
  return {
    add(part, copy) {
      const copies = failed.get(part) ?? new Set();
      failed.set(part, copies);
      if (copies.size < WIDESPREAD) copies.add(copy);
      return copies.size >= WIDESPREAD;
    },
    clear: (part) => void failed.delete(part),
  };
}
