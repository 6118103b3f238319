import { endpointChosen, sqsClient } from '../aws/clients.ts';
import type { CommandLine } from '../commands/options.ts';
import { replicateCommand } from '../commands/replicate.ts';
import { UsageError } from '../commands/usage-error.ts';
import { environment } from '../config/env.ts';
import { createPublisher } from '../queue/sqs.ts';
import { createRoutes } from '../replicate/routes.ts';
import { write, writeError } from './console.ts';
import { load } from './load.ts';

export async function run({ operands, file, json }: CommandLine): Promise<number> {
  if (operands.length === 0) throw new UsageError('replicate needs at least one REF');
  const { vault, queue, routes, destinations } = await load(file);
  const publisher = createPublisher(sqsClient(endpointChosen(environment())), queue.url);
  const routed = createRoutes(routes, destinations);
  return replicateCommand({ refs: operands, vault: vault.id, routes: routed, publisher, json, write, writeError });
}
