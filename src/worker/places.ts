/** Room for looks that run side by side. */
export interface Places {
  /** Takes a place, below zero if need be (one receive may bring more groups than were free); returns its release. */
  take(): () => void;
  /** Resolves once at least one place is free. */
  free(): Promise<void>;
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
    },
  };
}
