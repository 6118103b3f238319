/** Runs `act` at the first of equal keys. Past `limit` of them it begins anew, so that its memory is bounded. */
export function oncePer(limit: number, act: (key: string) => void): (key: string) => void {
  const done = new Set<string>();
  return (key) => {
    if (done.has(key)) return;
    if (done.size >= limit) done.clear();
    done.add(key);
    act(key);
  };
}
