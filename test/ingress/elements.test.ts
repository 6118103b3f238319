import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { createElementSplitter, isBlank } from '../../src/ingress/elements.ts';

interface Split {
  readonly elements: string[];
  readonly tooLong: number[];
  readonly closed: boolean;
}

/** What comes out when the text goes in cut at these places. */
function split(text: string, cuts: readonly number[] = [], maxBytes = 1_000_000): Split {
  const elements: string[] = [];
  const tooLong: number[] = [];
  const splitter = createElementSplitter({
    maxBytes,
    onElement: (element) => elements.push(element.toString()),
    onTooLong: (bytes) => tooLong.push(bytes),
  });
  const bytes = Buffer.from(text);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  for (const [index, place] of places.entries()) {
    // A socket may use its chunk's memory again.
    const chunk = Buffer.from(bytes.subarray(place, places[index + 1] ?? place));
    splitter.push(chunk);
    chunk.fill('x');
  }
  return { elements, tooLong, closed: splitter.end() };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The array that the elements make, as JSON.parse would have it; undefined where it is none. */
function arrayOf({ elements, closed }: Split): unknown[] | undefined {
  const values = elements.map(parsed);
  return closed && !values.includes(undefined) ? values : undefined;
}

const chunking = fc.array(fc.nat(), { maxLength: 12 });
const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/);

t.test('elements are those of JSON.parse, however the array is spelled and cut', async () => {
  const spelled = fc.tuple(fc.array(fc.tuple(fc.json(), space, space), { maxLength: 6 }), space, space);
  fc.assert(
    fc.property(spelled, chunking, ([elements, inside, after], cuts) => {
      const text = `[${inside}${elements.map(([json, a, b]) => `${a}${json}${b}`).join(',')}]${after}`;
      assert.deepEqual(arrayOf(split(text, cuts)), JSON.parse(text));
    }),
    { numRuns: 300 },
  );
});

t.test('what is no array to JSON.parse is none here, and the other way round', async () => {
  const piece = fc.constantFrom(
    '[',
    ']',
    '{',
    '}',
    ',',
    ':',
    '"',
    '\\',
    ' ',
    '\n',
    '1',
    'null',
    '"a"',
    '{"a":1}',
    '"\\""',
    'é',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 10 }), chunking, (pieces, cuts) => {
      const text = `[${pieces.join('')}`;
      assert.deepEqual(arrayOf(split(text, cuts)), parsed(text), text);
    }),
    { numRuns: 5_000 },
  );
  for (const text of ['[1,2', '[', '["a]', '[1]x', '[1] [2]', '[1}', '[}', '[1,]', '[,1]', '[,]', '[1,,2]', '[{]]']) {
    t.equal(arrayOf(split(text)), undefined, text);
  }
});

t.test('an element over the bound is measured, and the others are handed over', async (t) => {
  const long = JSON.stringify('x'.repeat(100));
  for (const cuts of [[], [3], [10, 20, 30, 50, 90]]) {
    const result = split(`[1,${long},[2],${long}]`, cuts, 50);
    t.strictSame(result, { elements: ['1', '[2]'], tooLong: [102, 102], closed: true });
  }
  t.match(split(`[${' '.repeat(60)}]`, [], 50), { tooLong: [60] });
});

t.test('blank is what holds nothing but white space of JSON', async (t) => {
  for (const text of ['', ' \t\r\n']) t.equal(isBlank(Buffer.from(text)), true);
  for (const text of ['a', ' \v', '\u00a0']) t.equal(isBlank(Buffer.from(text)), false);
});
