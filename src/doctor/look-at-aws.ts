import { randomUUID } from 'node:crypto';
import { secretsManagerClient, sqsClient } from '../aws/clients.ts';
import {
  type Extra,
  tryChangeVisibility,
  tryDeleteMessage,
  tryDescribe,
  tryList,
  tryQueueAttributes,
  tryWritesToMissing,
  tryWritesToOwned,
  watchDates,
} from '../aws/try-call.ts';
import type { Config, DestinationConfig } from '../config/config.ts';
import type { ClockFacts } from './checks/clock.ts';
import type { PermissionFacts, Place } from './checks/destinations.ts';
import type { QueueAnswer, QueuesFacts, TriedCall } from './checks/queues.ts';
import { once } from './once.ts';

/** What SQS shows of the queues. */
export interface QueueProbes {
  queues(): Promise<QueuesFacts>;
  calls(): Promise<readonly TriedCall[]>;
  clock(): Promise<ClockFacts>;
  close(): void;
}

/** @param endpointChosen the environment names an endpoint for SQS */
export function lookAtQueues(queue: Config['queue'], endpointChosen: boolean, now: () => number): QueueProbes {
  const client = sqsClient(endpointChosen);
  const clock = keepDate(client, 'SQS', now);
  const attributes = async (url: string): Promise<QueueAnswer> => {
    const answer = await tryQueueAttributes(client, url);
    return answer.error === undefined ? { attributes: answer.output.Attributes ?? {} } : { error: answer.error };
  };
  const queues = once(async () => {
    const [main, deadLetters] = await Promise.all([attributes(queue.url), attributes(queue.deadLetterUrl)]);
    return { ...queue, main, deadLetters, visibility: queue.visibilityTimeout };
  });
  return {
    queues,
    calls: async () => {
      const [deleted, hidden] = await Promise.all([
        tryDeleteMessage(client, queue.url),
        tryChangeVisibility(client, queue.url),
      ]);
      return [
        { call: 'DeleteMessage', error: deleted.error },
        { call: 'ChangeMessageVisibility', error: hidden.error },
      ];
    },
    clock: async () => {
      await queues();
      return clock();
    },
    close: () => client.destroy(),
  };
}

/** What Secrets Manager shows of a destination. */
export interface DestinationProbes {
  place(): Promise<Place>;
  /** Undefined where the destination has no place. */
  permissions(): Promise<PermissionFacts | undefined>;
  clock(): Promise<ClockFacts>;
  close(): void;
}

export interface DestinationLook {
  readonly name: string;
  readonly settings: DestinationConfig;
  readonly vault: string;
  /** A name that a route makes and no secret has; undefined where no route leads there. */
  readonly freeName: string | undefined;
  readonly extras: readonly Extra[];
  readonly now: () => number;
}

export function lookAtDestination({
  name,
  settings,
  vault,
  freeName,
  extras,
  now,
}: DestinationLook): DestinationProbes {
  const client = secretsManagerClient(settings, 2);
  const clock = keepDate(client, `Secrets Manager (${name})`, now);
  const place = once(async () => {
    const region = await client.config.region().catch(() => undefined);
    return { name, region, endpoint: settings.endpoint, routed: freeName !== undefined };
  });
  const permissions = once(async () => {
    if ((await place()).region === undefined || freeName === undefined) return undefined;
    const [list, describe] = await Promise.all([tryList(client, vault), tryDescribe(client, freeName)]);
    const isFree = describe.error === 'ResourceNotFoundException';
    const missing = isFree ? await tryWritesToMissing(client, freeName, randomUUID(), extras) : {};
    const arn = list.error === undefined ? list.output : undefined;
    const owned = arn === undefined ? undefined : await tryWritesToOwned(client, arn, randomUUID(), extras);
    return { destination: name, list, describe, missing, owned, extras, kmsKey: settings.kmsKeyId !== undefined };
  });
  return {
    place,
    permissions,
    clock: async () => {
      await permissions();
      return clock();
    },
    close: () => client.destroy(),
  };
}

/** The first answer's Date beside our own time. */
function keepDate(client: Parameters<typeof watchDates>[0], whose: string, now: () => number): () => ClockFacts {
  let seen: ClockFacts = { whose, unknown: 'no answer told a time' };
  watchDates(client, (theirs) => {
    if ('unknown' in seen) seen = { whose, theirs, ours: now() };
  });
  return () => seen;
}
