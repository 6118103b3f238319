import type { HeldLetter } from '../../src/dead-letters/box.ts';
import { readLetter } from '../../src/dead-letters/letter.ts';
import { type FailureCode, ReplicationError } from '../../src/errors.ts';
import { type ChangeMessage, encodeMessage } from '../../src/queue/message.ts';
import type { Outgoing, Received } from '../../src/queue/ports.ts';
import { createRoutes } from '../../src/replicate/routes.ts';
import { letter } from '../../src/worker/park.ts';

export const VAULT = 'vault';
export const SENT = Date.parse('2026-11-24T21:41:00Z');
export const PARKED = '2026-11-24T21:40:57.000Z';

export const ROUTES = createRoutes(
  [
    {
      name: 'kv',
      namespace: '',
      mount: 'kv',
      include: ['**'],
      exclude: ['gone/**'],
      to: ['default'],
      as: '{mount}/{path}',
    },
  ],
  { default: {} },
);

export const change = (path: string, more: Partial<ChangeMessage> = {}): ChangeMessage => ({
  ...{ v: 1, kind: 'change', vault: VAULT, namespace: '', mount: 'kv', path, route: 'kv', destination: 'default' },
  origin: 'audit',
  ...more,
});

export const changeBody = (path: string, more: Partial<ChangeMessage> = {}): string =>
  encodeMessage(change(path, more));

export const SWEEP_BODY = encodeMessage({ v: 1, kind: 'sweep', vault: VAULT, origin: 'gap', reason: 'start' });

export const received = (body: string, more: Partial<Received> = {}): Received => ({
  ...{ id: 'aaaaaaaa-1', receipt: 'r', body, group: 'g', receives: 1, sentAt: SENT },
  ...more,
});

/** What a worker makes of a message that failed so. */
export function parkedLetter(
  body: string,
  {
    code = 'not_owned',
    text = 'taken',
    ref,
    id = 'aaaaaaaa-1',
  }: { code?: FailureCode; text?: string; ref?: string; id?: string } = {},
): Outgoing {
  return letter(received(body, { id, receives: 3 }), new ReplicationError(code, text), ref, PARKED);
}

/** The same as it is read in the dead-letter queue. */
export function held(body: string, parking: Parameters<typeof parkedLetter>[1] = {}): HeldLetter {
  const { attributes = {} } = parkedLetter(body, parking);
  return { ...readLetter(received(body, { attributes, id: parking.id ?? 'aaaaaaaa-1' }), VAULT), body };
}

export const unexplained = (body: string, id = 'aaaaaaaa-1'): HeldLetter => ({
  ...readLetter(received(body, { id }), VAULT),
  body,
});
