import { memberTexts, renderValue } from '../json-text.ts';

/** Which top-level keys of two objects differ: names alone. */
export interface KeyDiff {
  /** In Vault, not in the copy. */
  readonly added: readonly string[];
  /** In the copy, not in Vault. */
  readonly removed: readonly string[];
  /** Another value, or another spelling of a number. */
  readonly changed: readonly string[];
}

/** Compares a secret's text with its copy's; undefined where one of them is no JSON object. */
export function keyDiff(source: string, copy: string): KeyDiff | undefined {
  const there = memberTexts(source);
  const here = memberTexts(copy);
  if (there === undefined || here === undefined) return undefined;
  const isOther = (text: string, other: string | undefined) =>
    other !== undefined && renderValue(text) !== renderValue(other);
  return {
    added: [...there.keys()].filter((key) => !here.has(key)),
    removed: [...here.keys()].filter((key) => !there.has(key)),
    changed: [...there].flatMap(([key, text]) => (isOther(text, here.get(key)) ? [key] : [])),
  };
}
