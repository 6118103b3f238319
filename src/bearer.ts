import { createHash, timingSafeEqual } from 'node:crypto';
import type { Sensitive } from './sensitive.ts';

/** Whether an Authorization header carries a token that opens the door. */
export type BearerTest = (authorization: string | undefined) => boolean;

/**
 * Whether an Authorization header carries one of the tokens. Compares hashes, and all of them, so that neither content
 * nor length of a token shows in the time that it takes.
 */
export function bearerTest(tokens: readonly Sensitive<string>[]): BearerTest {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const accepted = tokens.map((token) => digest(`Bearer ${token.reveal()}`));
  return (authorization = '') => {
    const given = digest(authorization);
    return accepted.map((token) => timingSafeEqual(token, given)).includes(true);
  };
}

/** A test whose tokens may be replaced while it is in use. */
export interface BearerDoor {
  readonly authorized: BearerTest;
  /** Undefined: no token is needed. */
  replace(tokens: readonly Sensitive<string>[] | undefined): void;
}

export function createBearerDoor(tokens: readonly Sensitive<string>[] | undefined): BearerDoor {
  const testOf = (accepted: typeof tokens): BearerTest => (accepted === undefined ? () => true : bearerTest(accepted));
  let test = testOf(tokens);
  return {
    authorized: (authorization) => test(authorization),
    replace(next) {
      test = testOf(next);
    },
  };
}
