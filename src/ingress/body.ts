import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Clock } from '../clock.ts';
import { inTurns } from './in-turns.ts';

export interface BodyOptions {
  readonly gzip: boolean;
  /** Of the body as it is read: unpacked, if it comes packed. */
  readonly maxBytes: number;
  readonly onChunk: (chunk: Buffer) => void;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** How a body ended: `aborted` when the sender went before it was whole. */
export type BodyEnd = 'whole' | 'too_large' | 'not_gzip' | 'aborted';

/** Hands over a body as it comes, and leaves what it does not read to the connection. Rejects as `onChunk` throws. */
export function readBody(raw: Readable, { gzip, maxBytes, onChunk, clock }: BodyOptions): Promise<BodyEnd> {
  return new Promise((resolve, reject) => {
    const unpacked = gzip ? raw.pipe(createGunzip()) : undefined;
    const source = unpacked ?? raw;
    let bytes = 0;
    const stop = () => {
      source.removeAllListeners('data');
      raw.unpipe();
      unpacked?.destroy();
      raw.resume(); // what is left is read to nowhere, else no answer could be sent
    };
    const end = (how: BodyEnd) => {
      stop();
      resolve(how);
    };
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) return end('too_large');
      try {
        onChunk(chunk);
      } catch (error) {
        stop();
        reject(error);
      }
    };
    source.on('data', inTurns(source, clock, take));
    source.once('end', () => end('whole'));
    unpacked?.once('error', () => end('not_gzip'));
    raw.once('error', () => end('aborted'));
  });
}
