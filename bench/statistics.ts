const RESAMPLES = 2_000;

/** The value below which a share `p` of them lies (nearest rank). */
export function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** The 95 % interval of a figure of two paired samples, by resampling their pairs. */
export function bootstrapInterval(
  a: readonly number[],
  b: readonly number[],
  figure: (a: readonly number[], b: readonly number[]) => number,
): readonly [number, number] {
  const figures = Array.from({ length: RESAMPLES }, () => {
    const picks = a.map(() => Math.floor(Math.random() * a.length));
    return figure(
      picks.map((pick) => a[pick] ?? Number.NaN),
      picks.map((pick) => b[pick] ?? Number.NaN),
    );
  });
  return [percentile(figures, 0.025), percentile(figures, 0.975)];
}
