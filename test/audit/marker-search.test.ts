import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { createMarkerSearch, SEARCHED_BYTES } from '../../src/audit/marker-search.ts';

const buffers = (texts: readonly string[]) => texts.map((text) => Buffer.from(text));
const search = createMarkerSearch(buffers(['team/kv/', 'secret/', '\\u', '\\/']));

/** Where the search stops in the bytes, one after the other. */
function stops(bytes: Buffer, { within } = search): number[] {
  const searched = within(bytes);
  const found: number[] = [];
  for (let at = searched.next(0); at < bytes.length; at = searched.next(at + 1)) found.push(at);
  return found;
}

t.test('a marker is found by a slash or backslash in it, wherever it lies', async (t) => {
  for (const before of [0, 1, 15, 16, 31, 32, 62, 63, 64, 65, 127, 1000]) {
    for (const after of [0, 1, 63, 64]) {
      const around = (marker: string) => Buffer.from(`${'x'.repeat(before)}${marker}${'x'.repeat(after)}`);
      t.strictSame(stops(around('team/kv/')), [before + 4], `${before} before, ${after} after`);
      t.strictSame(stops(around('secret/')), [before + 6]);
      t.strictSame(stops(around('\\u')), [before]);
      t.strictSame(stops(around('\\/')), [before + 1]);
      t.strictSame(stops(around('team/k/ /ecret secret\\ /u')), []);
    }
  }
});

t.test('nothing but the bytes given is found, whatever lies around them', async (t) => {
  const { buffer } = search;
  buffer.fill('secret/');
  t.strictSame(stops(buffer.subarray(1, 7)), [], 'its first letter is missing');
  t.strictSame(stops(buffer.subarray(0, 6)), [], 'its slash is missing');
  t.strictSame(stops(buffer.subarray(7, 14)), [6]);
  t.equal(stops(buffer).length, Math.floor(SEARCHED_BYTES / 7));
  t.strictSame(stops(Buffer.from('secre')), [], 'what was copied before is over');
});

t.test('bytes that lie in its buffer are not copied, all others are', async (t) => {
  const { buffer } = search;
  buffer.fill('x');
  const searched = search.within(buffer.subarray(100, 200));
  buffer.write('secret/', 100);
  t.equal(searched.next(0), 6, 'the search sees what the buffer holds');
  const other = Buffer.alloc(100, 'x');
  const copied = search.within(other);
  other.write('secret/');
  t.equal(copied.next(0), 100, 'the search sees what was given');
});

t.test('newlines are counted, however many and wherever the bytes end', async (t) => {
  const { buffer } = search;
  const newlines = (from: number, to: number) => search.within(buffer.subarray(from, to)).newlines;
  buffer.fill('\n');
  for (const length of [0, 1, 63, 64, 65, 4031, 4032, 4033, 8064, 16_320, SEARCHED_BYTES - 1]) {
    t.equal(newlines(1, 1 + length), length, `${length} bytes`);
  }
  t.equal(newlines(0, SEARCHED_BYTES), SEARCHED_BYTES);
  buffer.fill('line\n');
  t.equal(newlines(0, 5000), 1000);
  t.equal(newlines(0, 4999), 999);
});

t.test('a text of any length holds a marker or not', async (t) => {
  for (const length of [0, 100, SEARCHED_BYTES, SEARCHED_BYTES + 1, 3 * SEARCHED_BYTES]) {
    t.equal(search.holds(Buffer.alloc(length, 'x/')), false, `${length} bytes`);
    t.equal(search.holds(Buffer.from(`${'x'.repeat(Math.max(0, length - 7))}secret/`)), true);
  }
});

t.test('any markers are found where they stand, and nothing else is', async () => {
  const unit = fc.constantFrom('a', 'b', '/', '\\', '\n');
  const marker = fc
    .string({ unit: fc.constantFrom('a', 'b', '/', '\\'), minLength: 1, maxLength: 5 })
    .filter((text) => /[/\\]/.test(text));
  fc.assert(
    fc.property(fc.array(marker, { maxLength: 20 }), fc.string({ unit, maxLength: 300 }), (markers, text) => {
      const found = new Set(stops(Buffer.from(text), createMarkerSearch(buffers(markers))));
      const ends = markers.flatMap((one) =>
        Array.from(text, (_, at) => at)
          .filter((at) => text.startsWith(one, at))
          .map((at) => [at, at + one.length]),
      );
      for (const [start = 0, end = 0] of ends) {
        assert.ok(
          [...found].some((at) => at >= start && at < end),
          `${JSON.stringify(text)} from ${start}`,
        );
      }
      for (const at of found) assert.ok(ends.some(([start = 0, end = 0]) => at >= start && at < end));
    }),
  );
});

t.test('a marker without slash or backslash could not be found', async (t) => {
  t.throws(() => createMarkerSearch(buffers(['kv'])), RangeError);
});
