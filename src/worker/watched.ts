import { toReplicationError } from '../errors.ts';
import type { Gate } from './gate.ts';

/** The same answer; when there is none, the part is asked whether it is down, and the error goes on. */
export const suspecting = <T>(gate: Pick<Gate, 'suspect'>, part: string, answer: Promise<T>): Promise<T> =>
  answer.catch(async (error: unknown) => {
    if (toReplicationError(error).treatment === 'pausing') await gate.suspect(part);
    throw error;
  });

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
