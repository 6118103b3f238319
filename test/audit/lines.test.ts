import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { createCarryRoom } from '../../src/audit/carry.ts';
import { createLineScanner } from '../../src/audit/lines.ts';
import { createMarkerSearch } from '../../src/audit/marker-search.ts';
import { projectRoot } from '../servers/root.ts';

const SAMPLES = readFileSync(join(projectRoot(), 'test/fixtures/audit-samples.jsonl'));

interface Settings {
  readonly markers?: readonly string[];
  readonly maxLineBytes?: number;
  readonly everyLine?: boolean;
}

const searchFor = (markers: readonly string[]) => createMarkerSearch(markers.map((marker) => Buffer.from(marker)));

function scan(chunks: Iterable<Buffer>, { markers = ['kv/'], maxLineBytes = 100, everyLine = false }: Settings = {}) {
  const lines: string[] = [];
  const skipped: number[] = [];
  const happened: unknown[] = [];
  const scanner = createLineScanner({
    search: searchFor(markers),
    maxLineBytes,
    onLine: (line) => {
      lines.push(line.toString('latin1'));
      happened.push(line.toString('latin1'));
    },
    onSkipped: (bytes) => {
      skipped.push(bytes);
      happened.push(bytes);
    },
  });
  scanner.everyLine = everyLine;
  let retained = 0;
  for (const chunk of chunks) {
    scanner.push(chunk);
    retained = Math.max(retained, scanner.retainedBytes);
    chunk.fill(0); // as a socket that reuses its buffer
  }
  scanner.end();
  return { lines, skipped, happened, counts: { ...scanner.counts }, retained };
}

const one = (text: string, settings?: Settings) => scan([Buffer.from(text, 'latin1')], settings);

/** Cuts the bytes into pieces whose lengths repeat. */
function* cut(bytes: Buffer, lengths: readonly number[]): Generator<Buffer> {
  for (let start = 0, turn = 0; start < bytes.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1;
    yield Buffer.from(bytes.subarray(start, start + length));
    start += length;
  }
}

t.test('lines end with a newline, with or without a carriage return', async (t) => {
  const { lines, counts } = one('kv/a\nother\r\nkv/b\r\n\r\n\nkv/\rc\nkv/d');
  t.strictSame(lines, ['kv/a', 'kv/b', 'kv/\rc'], 'the last has not ended, so it is none');
  t.strictSame(counts, { bytes: 31, lines: 6, handed: 3, skipped: 0 });
});

t.test('every line is handed over while the switch is on', async (t) => {
  const seen: string[] = [];
  const scanner = createLineScanner({
    search: searchFor(['kv/']),
    maxLineBytes: 100,
    onLine: (line) => {
      seen.push(line.toString());
      if (line.toString() === 'valid') scanner.everyLine = false;
    },
    onSkipped: () => t.fail('none is too long'),
  });
  scanner.everyLine = true;
  t.equal(scanner.everyLine, true);
  scanner.push(Buffer.from('hello\nval'));
  scanner.push(Buffer.from('id\nother\nkv/a\noth'));
  scanner.push(Buffer.from('er\n{"time":"x","type":"request","path":"kv/a"}\n'));
  t.strictSame(seen, ['hello', 'valid', 'kv/a']);
  t.equal(scanner.everyLine, false);
});

t.test('request entries are handed over only while each line is', async (t) => {
  const line = '{"time":"x","type":"request","path":"kv/a"}';
  t.strictSame(one(`${line}\n`).lines, []);
  t.strictSame(one(`${line}\n`, { everyLine: true }).lines, [line]);
});

t.test('a line of exactly the bound passes, a longer one is skipped once, and the stream goes on', async (t) => {
  const long = `kv/${'x'.repeat(98)}`;
  const text = `${long.slice(1)}\n${long.slice(0, 100)}\nkv/1\n${long}\nkv/2\n${long.repeat(50)}\nkv/3\n`;
  for (const lengths of [[1], [7], [100], [101], [10_000]]) {
    const { lines, skipped, counts } = scan(cut(Buffer.from(text), lengths));
    t.strictSame(lines, [long.slice(0, 100), 'kv/1', 'kv/2', 'kv/3'], `in chunks of ${lengths}`);
    t.strictSame(skipped, [101, 5050]);
    t.match(counts, { lines: 7, skipped: 2, handed: 4 });
  }
});

t.test('a line too long at the end of the stream is reported too', async (t) => {
  t.strictSame(one('x'.repeat(150)).skipped, [150]);
  t.strictSame(one('x'.repeat(150)).counts, { bytes: 150, lines: 0, handed: 0, skipped: 1 });
  t.strictSame(one('x'.repeat(100)).skipped, []);
});

t.test('a scanner that has ended may begin anew', async (t) => {
  const lines: string[] = [];
  const scanner = createLineScanner({
    search: searchFor(['kv/']),
    maxLineBytes: 10,
    onLine: (line) => lines.push(line.toString()),
    onSkipped: () => undefined,
  });
  for (const text of ['kv/lost', 'kv/much-too-long']) {
    scanner.push(Buffer.from(text));
    scanner.end();
  }
  scanner.push(Buffer.from('kv/a\n'));
  t.strictSame(lines, ['kv/a']);
});

t.test('a hundred megabytes without a newline are not kept', async (t) => {
  const maxLineBytes = 1024 * 1024;
  const chunk = Buffer.alloc(64 * 1024, 'x');
  const chunks = function* () {
    for (let sent = 0; sent < 100 * 1024 * 1024; sent += chunk.length) yield chunk.fill('x');
    yield Buffer.from('\nkv/a\n');
  };
  const { lines, skipped, retained } = scan(chunks(), { maxLineBytes });
  t.strictSame(lines, ['kv/a']);
  t.strictSame(skipped, [100 * 1024 * 1024]);
  t.ok(retained <= maxLineBytes, `${retained} bytes were held`);
});

t.test('a megabyte in small chunks is kept once, and given back', async (t) => {
  const maxLineBytes = 1024 * 1024;
  const line = `${'x'.repeat(maxLineBytes - 3)}kv/`;
  const { lines, retained } = scan(cut(Buffer.from(`${line}\n`), [100]), { maxLineBytes });
  t.equal(lines[0], line);
  t.ok(retained <= maxLineBytes);

  const unwanted = () => t.fail('it is neither of interest nor too long');
  const scanner = createLineScanner({ search: searchFor([]), maxLineBytes, onLine: unwanted, onSkipped: unwanted });
  scanner.push(Buffer.from(line));
  scanner.push(Buffer.from('\n'));
  t.equal(scanner.retainedBytes, 0);
});

t.test('streams that never end a line share their memory, and a shorter line of another comes through', async (t) => {
  const room = createCarryRoom(400_000);
  const skipped: number[] = [];
  const lines: string[] = [];
  const stream = () =>
    createLineScanner({
      search: searchFor(['kv/']),
      maxLineBytes: 130_000,
      room,
      onLine: (line) => lines.push(line.toString()),
      onSkipped: (bytes) => skipped.push(bytes),
    });
  const [vault, ...others] = Array.from({ length: 6 }, stream);
  const held = () => [vault, ...others].reduce((sum, one) => sum + (one?.retainedBytes ?? 0), 0);
  vault?.push(Buffer.from(`kv/${'v'.repeat(40_000)}`));
  for (const [index, other] of others.entries()) other.push(Buffer.alloc(120_000 + index, 'x'));
  t.ok(held() <= 400_000, `${held()} bytes are held`);
  vault?.push(Buffer.from('end\n'));
  t.strictSame(lines, [`kv/${'v'.repeat(40_000)}end`]);
  for (const other of others) other.push(Buffer.from('kv/\n'));
  t.strictSame(skipped, [120_005, 120_006, 120_007], 'each was the longest when the room was short');
  t.match(vault?.counts, { lines: 1, skipped: 0 });
  for (const one of [vault, ...others]) one?.end();
  t.equal(held(), 0);
  const late = stream();
  late.push(Buffer.alloc(130_000, 'x'));
  t.equal(late.retainedBytes, 130_000, 'what has ended counts no more');
});

t.test(
  'a line that was given up ends as skipped with its stream, and room that is kept for the next is no line',
  async (t) => {
    const room = createCarryRoom(100_000);
    const skipped: number[] = [];
    const settings = {
      search: searchFor([]),
      maxLineBytes: 90_000,
      room,
      onLine() {},
      onSkipped: (bytes: number) => skipped.push(bytes),
    };
    const [idle, cut, other] = [createLineScanner(settings), createLineScanner(settings), createLineScanner(settings)];
    idle.push(Buffer.from(`${'x'.repeat(50)}`));
    idle.push(Buffer.from('\n'));
    cut.push(Buffer.alloc(60_000, 'x'));
    other.push(Buffer.alloc(50_000, 'x'));
    t.strictSame([cut.retainedBytes, other.retainedBytes], [0, 50_000]);
    cut.push(Buffer.alloc(1_000, 'x'));
    cut.end();
    t.strictSame(skipped, [61_000]);
    other.push(Buffer.from('\n'));
    cut.push(Buffer.alloc(60_000, 'x'));
    other.push(Buffer.from('y\n'));
    t.strictSame([skipped, other.counts.lines, other.counts.skipped], [[61_000], 2, 0]);
  },
);

t.test('what comes out never depends on the chunks', async () => {
  const byte = fc.constantFrom(...Buffer.from('kv/\n\r{"\\uü€'));
  const text = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.array(byte, { maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.array(fc.string({ unit: 'grapheme', maxLength: 40 })).map((parts) => Buffer.from(parts.join('kv/\r\n'))),
    fc.nat(SAMPLES.length - 5000).map((start) => SAMPLES.subarray(start, start + 5000)),
  );
  const lengths = fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 8 });
  const settings = fc.record({
    markers: fc.constantFrom(['kv/'], ['kv/', '\\u', '/', 'v\\'], []),
    maxLineBytes: fc.constantFrom(1, 10, 2000, 100_000),
    everyLine: fc.boolean(),
  });
  fc.assert(
    fc.property(text, lengths, settings, (bytes, lengths, settings) => {
      const { retained: _, ...whole } = scan([Buffer.from(bytes)], settings);
      const { retained, ...cutUp } = scan(cut(bytes, lengths), settings);
      assert.deepEqual(cutUp, whole);
      assert.ok(retained <= settings.maxLineBytes);
    }),
    { numRuns: 500 },
  );
});

t.test('the samples come out the same in every size of chunk', async (t) => {
  const settings = { markers: ['kv/', 'hybrid-aws-secrets/'], maxLineBytes: 1024 * 1024 };
  const { retained: _, ...whole } = scan([Buffer.from(SAMPLES)], settings);
  t.ok(whole.lines.length > 50);
  for (const length of [1, 2, 3, 127, 1023, 1024, 65_536]) {
    const { retained: _, ...cutUp } = scan(cut(SAMPLES, [length]), settings);
    t.strictSame(cutUp, whole, `in chunks of ${length}`);
  }
});

const ALPHABET = fc.constantFrom('a', 'b', '/', '\\', 'u');

t.test('exactly the lines that hold a marker are found', async () => {
  const marker = fc
    .string({ unit: ALPHABET, minLength: 1, maxLength: 5 })
    .filter((text) => text.includes('/') || text.includes('\\'));
  const line = fc.oneof(fc.string({ unit: ALPHABET, maxLength: 30 }), fc.string({ unit: ALPHABET, maxLength: 300 }));
  fc.assert(
    fc.property(fc.array(marker, { maxLength: 20 }), fc.array(line), (markers, lines) => {
      const holding = lines.filter((line) => markers.some((marker) => line.includes(marker)));
      assert.deepEqual(one(lines.map((line) => `${line}\n`).join(''), { markers }).lines, holding);
    }),
    { numRuns: 500 },
  );
});
