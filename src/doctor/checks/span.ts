/** A length of time in its largest unit of which it has two, for people: `90 s`, `45 min`, `30 h`, `12 d`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
  ] as const;
  const [unit, size] = units.find(([, length]) => whole >= 2 * length) ?? (['s', 1] as const);
  return `${Math.floor(whole / size)} ${unit}`;
}
