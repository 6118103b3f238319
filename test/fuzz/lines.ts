import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { bytesInUse } from '../bytes-in-use.ts';
import { projectRoot } from '../servers/root.ts';
import { NASTY_LINES } from './corpus.ts';
import { checkBody, FORMS } from './posted.ts';
import { createStream } from './stream.ts';

/** Lines of one connection, after which the next one begins. */
const CONNECTION = 2_000;
/** Of one body of the webhook; one is posted for each connection. */
const BODY = 100;
const MAX_LINE = 16 * 1024;
const MAX_CHUNK = 64 * 1024;
/** What may be more at the end than after the first tenth, in bytes. */
const MAX_GROWTH = 16 * 1024 * 1024;

/** Bytes that mean something to a reader of audit lines. */
const TOKENS = [
  ...['"', '\\', '\\u', '\\u002f', '\\/', '\n', '\r\n', '\0', '{', '}', '[', ']', ',', ':', '/', '//', '/../', 'null'],
  ...['kv/', 'deep/kv/', 'team/a/', 'sys/mounts/kv', 'sys/remount', 'data/', 'metadata/', '"type":"request"', '1e999'],
  ...['"operation":"update"', '"operation":"read"', '"__proto__":', '\ud800', '\u2028', '%2f', 'hmac-sha256:'],
].map((text) => Buffer.from(text));

/** A number from 0 up to `below`; the same row of them for the same seed. */
type Pick = (below: number) => number;

function createPick(seed: number): Pick {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % below;
  };
}

const oneOf = <T>(pick: Pick, some: readonly [T, ...T[]] | readonly T[]): T => some[pick(some.length)] as T;

/** Cuts out, doubles, replaces or adds a piece somewhere. */
function mutated(line: Buffer, corpus: readonly Buffer[], pick: Pick): Buffer {
  const [at, length] = [pick(line.length + 1), pick(24)];
  const [before, after] = [line.subarray(0, at), line.subarray(at)];
  const rest = line.subarray(Math.min(line.length, at + length));
  switch (pick(6)) {
    case 0:
      return Buffer.concat([before, rest]);
    case 1:
      return Buffer.concat([before, after.subarray(0, length), after]);
    case 2:
      return Buffer.concat([before, oneOf(pick, TOKENS), after]);
    case 3:
      return Buffer.concat([before, oneOf(pick, TOKENS), rest]);
    case 4: {
      const other = oneOf(pick, corpus);
      return Buffer.concat([before, other.subarray(pick(other.length + 1))]);
    }
    default: {
      const flipped = Buffer.from(line);
      if (line.length > 0) flipped[at % line.length] = pick(256);
      return flipped;
    }
  }
}

function corpusOf(): Buffer[] {
  const samples = readFileSync(join(projectRoot(), 'test/fixtures/audit-samples.jsonl'), 'utf8').trimEnd().split('\n');
  const routed = samples.map((line) => line.replaceAll('hybrid-aws-secrets', 'kv'));
  return [...routed, ...NASTY_LINES].map((line) => Buffer.from(line)).filter(({ length }) => length <= MAX_LINE / 2);
}

function mutatedLines(corpus: readonly Buffer[], count: number, pick: Pick): Buffer[] {
  return Array.from({ length: count }, () => {
    let line = oneOf(pick, corpus);
    for (let times = pick(4); times > 0; times -= 1) line = mutated(line, corpus, pick);
    return line;
  });
}

function cut(bytes: Buffer, pick: Pick): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + pick(pick(8) === 0 ? 8 : MAX_CHUNK);
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  return chunks;
}

/** One connection of mutated lines, cut anywhere. */
function connection(corpus: readonly Buffer[], pick: Pick): void {
  const stream = createStream(MAX_LINE);
  for (const chunk of cut(FORMS.lines(mutatedLines(corpus, CONNECTION, pick)), pick)) stream.push(chunk);
  stream.end();
}

/** One body of mutated lines, in each form; of one in four the gzip is damaged. */
async function body(corpus: readonly Buffer[], pick: Pick): Promise<void> {
  const lines = mutatedLines(corpus, BODY, pick);
  for (const form of Object.values(FORMS)) {
    const damaged = pick(4) === 0 ? (gzip: Buffer) => mutated(gzip, corpus, pick) : undefined;
    await checkBody(cut(form(lines), pick), MAX_LINE, damaged);
  }
}

/**
 * So many mutated audit lines, through scanner, reader and funnel, and some through the webhook's reader: nothing is thrown, nothing plaintext goes on, and no
 * more memory is used at the end than near the beginning.
 */
export async function fuzzLines(lines: number, seed: number, onProgress: (done: number) => void): Promise<void> {
  const corpus = corpusOf();
  const rounds = Math.ceil(lines / CONNECTION);
  let early = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round += 1) {
    const pick = createPick(seed + round);
    connection(corpus, pick);
    await body(corpus, pick);
    if (round === Math.floor(rounds / 10)) early = bytesInUse();
    if (round % 250 === 249) onProgress((round + 1) * CONNECTION);
    await setImmediate(); // whatever was left to run runs, and a rejection that nobody takes ends the program
  }
  const growth = bytesInUse() - early;
  assert.ok(growth < MAX_GROWTH, `${growth} bytes more are in use than near the beginning`);
}
