import fc from 'fast-check';
import t from 'tap';
import { formatDuration, formatSize, parseDuration, parsePercent, parseSize } from '../../src/config/units.ts';

const DURATIONS: [string, number | undefined][] = [
  ['250ms', 250],
  ['0s', 0],
  ['5s', 5000],
  ['1m', 60_000],
  ['1h', 3_600_000],
  ['14d', 1_209_600_000],
  ['9007199254740991ms', Number.MAX_SAFE_INTEGER],
  ['9007199254740992ms', undefined],
  ['9999999999999999d', undefined],
  ['5', undefined],
  ['s', undefined],
  ['', undefined],
  ['1.5s', undefined],
  ['-1s', undefined],
  ['5 s', undefined],
  ['5s\n', undefined],
  ['5S', undefined],
  ['1w', undefined],
];

const SIZES: [string | number, number | undefined][] = [
  [512, 512],
  ['512', 512],
  [0, 0],
  ['64KiB', 65_536],
  ['1MiB', 1_048_576],
  ['1kib', undefined],
  ['1KB', undefined],
  ['1GiB', undefined],
  [-1, undefined],
  [1.5, undefined],
  [1e21, undefined],
  [Number.NaN, undefined],
  ['', undefined],
  ['KiB', undefined],
  ['9999999999999999MiB', undefined],
];

const SHARES: [string, number | undefined][] = [
  ['0%', 0],
  ['5%', 0.05],
  ['0.5%', 0.005],
  ['12.500000%', 0.125],
  ['100%', 1],
  ['100.0%', 1],
  ['100.1%', undefined],
  ['101%', undefined],
  ['1000%', undefined],
  ['5', undefined],
  ['%', undefined],
  ['', undefined],
  ['.5%', undefined],
  ['5.%', undefined],
  ['-5%', undefined],
  ['5 %', undefined],
  ['5%\n', undefined],
  ['0.1234567%', undefined],
  ['NaN%', undefined],
];

t.test('shares are percents', async (t) => {
  for (const [text, share] of SHARES) t.equal(parsePercent(text), share, JSON.stringify(text));
});

t.test('durations are a whole number and a unit', async (t) => {
  for (const [text, ms] of DURATIONS) t.equal(parseDuration(text), ms, JSON.stringify(text));
});

t.test('sizes are a whole number of bytes, KiB or MiB', async (t) => {
  for (const [value, bytes] of SIZES) t.equal(parseSize(value), bytes, JSON.stringify(value));
});

t.test('the shortest spelling is chosen', async (t) => {
  t.equal(formatDuration(0), '0s');
  t.equal(formatDuration(0.5), '0.5ms');
  t.equal(formatDuration(1500), '1500ms');
  t.equal(formatDuration(90_000), '90s');
  t.equal(formatDuration(172_800_000), '2d');
  t.equal(formatSize(0), 0);
  t.equal(formatSize(1000), 1000);
  t.equal(formatSize(2048), '2KiB');
  t.equal(formatSize(3 * 1_048_576), '3MiB');
});

t.test('what is written is read back', async () => {
  fc.assert(fc.property(fc.maxSafeNat(), (ms) => parseDuration(formatDuration(ms)) === ms));
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => parseSize(formatSize(bytes)) === bytes));
});
