import type { Step } from './step.ts';
import { MOUNT } from './tour.ts';
import { carried, demand, put } from './watch.ts';

/** A secret's way, seen with the AWS CLI. */
export const CARRIED: readonly Step[] = [
  {
    name: 'put',
    async run(tour, say) {
      const path = `app/db-${tour.run}`;
      await put(tour, say, path, 'tern-5417');
      const seen = await carried(tour, path, 1, 'tern-5417');
      const command = ['secretsmanager', 'get-secret-value', '--secret-id', `${MOUNT}/${path}`];
      say(`$ docker compose exec aws aws ${command.join(' ')}`);
      const { SecretString } = JSON.parse(await tour.aws([...command, '--output', 'json'])) as { SecretString: string };
      demand(SecretString === '{"password":"tern-5417"}', 'the AWS CLI shows another value');
      return `${seen}; the AWS CLI shows the value`;
    },
  },
  {
    name: 'change',
    async run(tour, say) {
      const path = `app/db-${tour.run}`;
      await put(tour, say, path, 'puffin-8206');
      return carried(tour, path, 2, 'puffin-8206');
    },
  },
];
