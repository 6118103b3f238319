import { toReplicationError } from '../errors.ts';
import type { Gate } from './gate.ts';

/** The same listing; when it breaks off, the part that gave it is asked whether it is down, and the error goes on. */
export async function* watched<T>(
  gate: Pick<Gate, 'suspect'>,
  part: string,
  rows: AsyncIterable<T>,
): AsyncGenerator<T> {
  try {
    yield* rows;
  } catch (error) {
    if (toReplicationError(error).treatment === 'pausing') await gate.suspect(part);
    throw error;
  }
}
