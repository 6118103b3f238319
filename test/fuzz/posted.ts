import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { systemClock } from '../../src/clock.ts';
import { readBody } from '../../src/ingress/body.ts';
import { createEntryReader, type Read } from '../../src/ingress/entry-reader.ts';
import { createEnd, SEARCH } from './stream.ts';

const MAX_BODY = 8 * 1024 * 1024;

/** How a body may hold the same lines. */
export const FORMS = {
  lines: (lines: readonly Buffer[]) => joined(lines, '', '\n', '\n'),
  array: (lines: readonly Buffer[]) => joined(lines, '[', ',', ']'),
  /** As a JSON writer spreads an entry over lines; within strings, as none does. */
  spread: (lines: readonly Buffer[]) => joined(lines.map(spread), '', '\n', ''),
} as const;

const spread = (line: Buffer): Buffer => Buffer.from(line.toString('latin1').replaceAll(',', ',\n'), 'latin1');

function joined(lines: readonly Buffer[], open: string, between: string, close: string): Buffer {
  const parts = lines.flatMap((line, index) => (index === 0 ? [line] : [Buffer.from(between), line]));
  return Buffer.concat([Buffer.from(open), ...parts, Buffer.from(close)]);
}

/** The webhook's way from a body's bytes to the messages that would be sent. */
function createBody(maxLineBytes: number) {
  const { accept, end } = createEnd();
  let entries = 0;
  const onEntry = (entry: Parameters<typeof accept>[0]) => {
    entries += 1;
    accept(entry);
  };
  const { push, end: endReading } = createEntryReader({ search: SEARCH, maxLineBytes, onEntry });
  return {
    push,
    end(): Read & { readonly entries: number } {
      const read = endReading();
      end();
      for (const { count, numbers } of [read.malformed, read.tooLong]) {
        assert.equal(numbers.length, Math.min(count, 10));
        assert.deepEqual(
          numbers,
          [...new Set(numbers)].sort((a, b) => a - b),
          'numbers rise',
        );
      }
      return { ...read, entries };
    },
  };
}

/**
 * A body in chunks, and whole from gzip: both are read alike. `damage` is done to the gzip, whose reading then ends in
 * some way and takes no more than the bytes before it.
 */
export async function checkBody(chunks: readonly Buffer[], maxLineBytes: number, damage?: (gzip: Buffer) => Buffer) {
  const inChunks = createBody(maxLineBytes);
  for (const chunk of chunks) inChunks.push(chunk);
  const packed = gzipSync(Buffer.concat(chunks), { level: 1 });
  const unpacked = createBody(maxLineBytes);
  const raw = Readable.from([damage?.(packed) ?? packed], { objectMode: false });
  const options = { gzip: true, maxBytes: MAX_BODY, onChunk: unpacked.push, clock: systemClock };
  const end = await readBody(raw, options);
  const [expected, read] = [inChunks.end(), unpacked.end()];
  if (damage === undefined) assert.equal(end, 'whole');
  if (end === 'whole') assert.deepEqual(read, expected, 'gzip and chunks change nothing');
}
