import assert from 'node:assert/strict';
import fc from 'fast-check';
import { memberText, renderValue } from '../../src/json-text.ts';
import { NASTY_JSON } from './corpus.ts';

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Total, idempotent, and of one meaning with what it was given; the member is the one that JSON.parse finds. */
export function checkRendering(text: string): void {
  const rendered = renderValue(text);
  assert.equal(renderValue(rendered), rendered, 'rendering twice changes nothing');
  assert.ok(rendered.length <= text.length, 'nothing is added');
  const value = parsed(text);
  const member = memberText(`{"data":{"data":0,"data":${text}}}`, ['data', 'data']);
  if (value === undefined) return;
  assert.deepEqual(JSON.parse(rendered), value);
  assert.equal(member?.trim(), text.trim(), 'a member is cut out as it stands');
}

const spaced = fc
  .tuple(fc.jsonValue(), fc.constantFrom(0, 1, '\t'))
  .map(([value, space]) => JSON.stringify(value, null, space));
const respelled = fc
  .jsonValue()
  .map((value) => JSON.stringify(value).replace(/[<>&a]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`));
const broken = fc
  .tuple(fc.json(), fc.nat(50), fc.string({ maxLength: 3 }))
  .map(([text, at, more]) => text.slice(0, at) + more);

export const renderings = fc.property(
  fc.oneof(fc.json(), spaced, respelled, broken, fc.constantFrom(...NASTY_JSON), fc.string({ unit: 'binary' })),
  checkRendering,
);
