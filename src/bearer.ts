import { createHash, timingSafeEqual } from 'node:crypto';
import type { Sensitive } from './sensitive.ts';

/**
 * Whether an Authorization header carries one of the tokens. Compares hashes, and all of them, so that neither content
 * nor length of a token shows in the time that it takes.
 */
export function bearerTest(tokens: readonly Sensitive<string>[]): (authorization: string | undefined) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const accepted = tokens.map((token) => digest(`Bearer ${token.reveal()}`));
  return (authorization = '') => {
    const given = digest(authorization);
    return accepted.map((token) => timingSafeEqual(token, given)).includes(true);
  };
}
