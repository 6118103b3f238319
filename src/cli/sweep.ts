import { endpointChosen, sqsClient } from '../aws/clients.ts';
import { approveCommand } from '../commands/approve-deletes.ts';
import type { CommandLine } from '../commands/options.ts';
import { planCommand } from '../commands/plan.ts';
import { checkSweepLine, sweepCommand } from '../commands/sweep.ts';
import { environment } from '../config/env.ts';
import { createInbox, createPublisher } from '../queue/sqs.ts';
import { comparing } from './comparing.ts';
import { askOnTerminal, terminal } from './console.ts';

export async function run(line: CommandLine): Promise<number> {
  checkSweepLine(line, terminal.asks);
  if (line.dryRun) return comparing(line, (command) => planCommand(command));
  return comparing(line, (command, { queue }) => {
    const client = sqsClient(endpointChosen(environment()));
    const publisher = createPublisher(client, queue.url);
    const ask = askOnTerminal(command.signal);
    if (line.approveDeletes) return approveCommand({ ...command, publisher, yes: line.yes, ask });
    // It receives nothing, so that no visibility timeout counts.
    return sweepCommand({ ...command, publisher, depth: createInbox(client, queue.url, 0).depth });
  });
}
