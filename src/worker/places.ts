/** Room for looks that run side by side. */
export interface Places {
  /** Takes a place; returns its release. */
  take(): () => void;
  /** Resolves to how many are free, once at least one is. */
  free(): Promise<number>;
}

export function createPlaces(count: number): Places {
  let free = count;
  let wake = () => {};
  return {
    take() {
      free -= 1;
      return () => {
        free += 1;
        wake();
      };
    },
    async free() {
      while (free <= 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return free;
    },
  };
}
