import { ReplicationError } from '../errors.ts';
import { formatRef, type SecretRef } from './ref.ts';

/** Secrets Manager's limit on a name, in characters (CreateSecret, API reference). */
export const MAX_NAME = 512;

/**
 * Text in the characters that Secrets Manager allows in names: every other byte of its UTF-8, and `=` itself, is
 * written `=` and two upper-case hex digits, so two different texts never meet in one name.
 */
export function escapeName(text: string): string {
  return text.replace(/[^A-Za-z0-9/_+.@-]/gu, (character) =>
    Array.from(Buffer.from(character), (byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

/** The text that {@link escapeName} was given. */
export const unescapeName = (name: string): string =>
  name.replace(/(?:=[0-9A-F]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll('=', ''), 'hex').toString());

/** The secret's name in the destination, by the route's template of `{namespace} {mount} {path}`. */
export const secretName = (template: string, ref: SecretRef): string =>
  template.replace(/\{(namespace|mount|path)\}/g, (_, part: keyof SecretRef) => escapeName(ref[part]));

/**
 * AWS adds `-` and six characters to a name to make the ARN, and advises against names that end so: in a policy or a
 * call, such a name can be taken for another secret's ARN without its account (CreateSecret, API reference).
 */
export const looksLikePartialArn = (name: string): boolean => /-[A-Za-z0-9]{6}$/.test(name);

/** Throws name_invalid before any call is made with a name that Secrets Manager would refuse. */
export function checkName(name: string, ref: SecretRef): void {
  if (name.length <= MAX_NAME) return;
  throw new ReplicationError(
    'name_invalid',
    `the name of ${formatRef(ref)} would have ${name.length} characters; Secrets Manager allows ${MAX_NAME}: shorten the path, or set the route's "as"`,
  );
}
