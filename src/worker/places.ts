/** Room for looks that run side by side. */
export interface Places {
  /** Takes a place; returns its release. */
  take(): () => void;
  /** Takes a place once there is one, in the order of asking; resolves to its release, or to nothing at the abort. */
  turn(signal: AbortSignal): Promise<(() => void) | undefined>;
  /** Resolves to how many are free, once at least one is. One caller at a time. */
  free(): Promise<number>;
}

/** Whoever waits in line and whoever asks how many are free take turns, so that neither starves the other. */
export function createPlaces(count: number): Places {
  const line: (() => void)[] = [];
  let free = count;
  let asking: (() => void) | undefined;
  let lineWasLast = false;

  const next = () => {
    if (free <= 0) return;
    lineWasLast = line.length > 0 && (asking === undefined || !lineWasLast);
    if (lineWasLast) line.shift()?.();
    else asking?.();
  };
  const take = () => {
    free -= 1;
    return () => {
      free += 1;
      next();
    };
  };
  return {
    take,
    turn: (signal) =>
      new Promise((resolve) => {
        const leave = () => {
          line.splice(line.indexOf(enter), 1);
          resolve(undefined);
        };
        const enter = () => {
          signal.removeEventListener('abort', leave);
          resolve(take());
        };
        if (signal.aborted) return resolve(undefined);
        signal.addEventListener('abort', leave);
        line.push(enter);
        if (line.length === 1 && asking === undefined) next();
      }),
    async free() {
      next(); // whoever asks again and again without taking must not keep the line waiting
      while (free <= 0) {
        await new Promise<void>((resolve) => {
          asking = resolve;
        });
        asking = undefined;
      }
      return free;
    },
  };
}
