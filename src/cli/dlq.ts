import { randomUUID } from 'node:crypto';
import { endpointChosen, sqsClient } from '../aws/clients.ts';
import { systemClock } from '../clock.ts';
import { dlqCommand } from '../commands/dlq.ts';
import { checkNoQuestion, dlqAction } from '../commands/dlq-action.ts';
import type { CommandLine } from '../commands/options.ts';
import { environment } from '../config/env.ts';
import { createLetterQueue } from '../dead-letters/queue.ts';
import { createPublisher } from '../queue/sqs.ts';
import { createRoutes } from '../replicate/routes.ts';
import { askOnTerminal, interruption, terminal, write, writeError } from './console.ts';
import { load } from './load.ts';

export async function run({ operands, file, json, ...options }: CommandLine): Promise<number> {
  const action = dlqAction(operands, options);
  if (!options.yes && !terminal.asks) checkNoQuestion(action);
  const { vault, queue, routes, destinations } = await load(file);
  const client = sqsClient(endpointChosen(environment()));
  const signal = interruption();
  return dlqCommand(
    {
      vault: vault.id,
      routes: createRoutes(routes, destinations),
      queue: createLetterQueue(client, queue.deadLetterUrl),
      publisher: createPublisher(client, queue.url),
      freshId: randomUUID,
      ask: askOnTerminal(signal),
      ...{ clock: systemClock, signal, json, yes: options.yes, write, writeError, progress: terminal.progress },
    },
    action,
  );
}
