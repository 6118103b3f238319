import { CARRIED } from './carried.ts';
import { DEAD_LETTERS } from './dead-letters.ts';
import { OUTAGES } from './outages.ts';
import { RUNNING } from './running.ts';
import type { Step } from './step.ts';
import { demand } from './watch.ts';

const STATUS: Step = {
  name: 'status',
  async run({ vaultferry }, say) {
    say('$ docker compose exec worker-1 vaultferry status');
    const lines = (await vaultferry(['status'])).trimEnd().split('\n');
    for (const line of lines) if (line !== '') say(line);
    const [, equal, all] = /^(\d+) of (\d+) secrets in sync$/.exec(lines.at(-1) ?? '') ?? [];
    demand(equal !== undefined && equal === all, 'some secrets are not in sync');
    return 'both ends compared, neither touched';
  },
};

export const STEPS: readonly Step[] = [...RUNNING, ...CARRIED, ...DEAD_LETTERS, ...OUTAGES, STATUS];
