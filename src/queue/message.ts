import { hash } from 'node:crypto';
import { Ajv } from 'ajv';
import { ReplicationError } from '../errors.ts';
import { anyOf, array, boolean, integer, object, optional, type Static, string, values } from '../typed-schema.ts';

const Origin = values(['audit', 'sweep', 'operator']);

/** A reference to a secret that may have changed; the hints are never trusted, only compared. */
const ChangeBody = object({
  v: values([1]),
  kind: values(['change']),
  vault: string(),
  namespace: string(),
  mount: string({ minLength: 1 }),
  path: string({ minLength: 1 }),
  route: string(),
  destination: string(),
  origin: Origin,
  kv: optional(values([1, 2])),
  version: optional(integer({ minimum: 1 })),
  createdTime: optional(string()),
  auditTime: optional(string()),
  requestId: optional(string()),
  purge: optional(boolean()),
  sweepId: optional(string()),
});

/** A request to look at everything once. */
const SweepBody = object({
  v: values([1]),
  kind: values(['sweep']),
  vault: string(),
  origin: values(['timer', 'gap', 'operator']),
  reason: optional(string()),
  approve: optional(array(object({ ref: string(), versionId: string(), mark: string() }))),
});

export type ChangeMessage = Static<typeof ChangeBody>;
export type SweepMessage = Static<typeof SweepBody>;
export type Message = ChangeMessage | SweepMessage;

// Checking our own schema against the meta-schema is a test's work, and half of the time at start.
const isMessage = new Ajv({ strict: true, allowUnionTypes: true, meta: false, validateSchema: false }).compile<Message>(
  anyOf(ChangeBody, SweepBody),
);

/**
 * Reads a body as it came from the queue. Unknown extra fields are let be, so that old and new versions run side by
 * side; a bad shape, an unknown `v` or another Vault's id is message_malformed. The error never quotes the body.
 */
export function parseMessage(body: string, vault: string): Message {
  const message = parseJson(body);
  if (!isMessage(message)) throw malformed('it has not the shape of a version 1 message');
  if (message.vault !== vault) throw malformed(`it is not for this Vault ("${vault}"): see vault.id`);
  return message;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw malformed('it is not JSON');
  }
}

const malformed = (why: string) =>
  new ReplicationError('message_malformed', `the message cannot be acted upon: ${why}`);

/**
 * The publisher's side of the same check: what the ingress would send must be what the worker accepts. U+FFFE and
 * U+FFFF, which a secret's path may hold and SQS refuses, are escaped.
 */
export function encodeMessage(message: Message): string {
  if (!isMessage(message)) throw malformed('it has not the shape of a version 1 message');
  return JSON.stringify(message).replace(/[\uFFFE\uFFFF]/g, (c) => (c === '\uFFFE' ? '\\uFFFE' : '\\uFFFF'));
}

/** What one door of the corridor adds to the reference: its name, and its hints. */
type ChangeOrigin = Omit<
  ChangeMessage,
  'v' | 'kind' | 'vault' | 'namespace' | 'mount' | 'path' | 'route' | 'destination'
>;

/** The body of a change, the same from every door. */
export const encodeChange = (
  vault: string,
  { namespace, mount, path }: Pick<ChangeMessage, 'namespace' | 'mount' | 'path'>,
  { route, destination }: Pick<ChangeMessage, 'route' | 'destination'>,
  origin: ChangeOrigin,
): string => encodeMessage({ v: 1, kind: 'change', vault, namespace, mount, path, route, destination, ...origin });

const idOf = (...parts: readonly unknown[]): string => hash('sha256', JSON.stringify(parts));

/** One audit entry that came through two devices is one message; two writes are never merged by SQS's window. */
export const auditDeduplicationId = (group: string, requestId: string): string => idOf('audit', group, requestId);

export const findingDeduplicationId = (group: string, sweepId: string): string => idOf('finding', group, sweepId);

/** Fresh for each parking of a message, the same for a retried one. */
export const parkingDeduplicationId = (messageId: string, receives: number): string =>
  idOf('parking', messageId, receives);

/** All sweep requests of one Vault form one group: they are served one at a time. The vault id's characters fit SQS. */
export const sweepGroup = (vault: string): string => `sweep-${vault}`;
