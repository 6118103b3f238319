const DURATIONS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
const SIZES = { MiB: 1_048_576, KiB: 1024 } as const;

const isDurationUnit = (unit: string): unit is keyof typeof DURATIONS => Object.hasOwn(DURATIONS, unit);
const isSizeUnit = (unit: string): unit is keyof typeof SIZES => Object.hasOwn(SIZES, unit);

const safe = (amount: number): number | undefined => (Number.isSafeInteger(amount) ? amount : undefined);

/** Milliseconds of `250ms`, `5s`, `1m`, `1h` or `14d`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, count = '', unit = ''] = /^(\d{1,16})(ms|s|m|h|d)$/.exec(text) ?? [];
  return isDurationUnit(unit) ? safe(Number(count) * DURATIONS[unit]) : undefined;
}

/** The shortest spelling of a whole number of milliseconds, which parseDuration reads back; zero is `0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const [unit = 'ms', factor = 1] = Object.entries(DURATIONS).find(([, size]) => ms % size === 0) ?? [];
  return `${ms / factor}${unit}`;
}

/** The share of `5%` or `0.5%`, from 0 to 1; undefined for anything else. */
export function parsePercent(text: string): number | undefined {
  const [, percent = 'NaN'] = /^(\d{1,3}(?:\.\d{1,6})?)%$/.exec(text) ?? [];
  const share = Number(percent) / 100;
  return share >= 0 && share <= 1 ? share : undefined;
}

/** A share as the file spells it, which parsePercent reads back. */
export const formatPercent = (share: number): string => `${Number((share * 100).toFixed(6))}%`;

/** Bytes of `512` (number or text), `64KiB` or `1MiB`; undefined for anything else. */
export function parseSize(value: number | string): number | undefined {
  const [, count = 'NaN', unit = ''] = /^(\d{1,16})(KiB|MiB)?$/.exec(String(value)) ?? [];
  return safe(Number(count) * (isSizeUnit(unit) ? SIZES[unit] : 1));
}

/** Bytes as the file spells them, which parseSize reads back: a plain number unless KiB or MiB divide it. */
export function formatSize(bytes: number): number | string {
  const [unit, factor] = Object.entries(SIZES).find(([, size]) => bytes > 0 && bytes % size === 0) ?? [];
  return unit === undefined || factor === undefined ? bytes : `${bytes / factor}${unit}`;
}
