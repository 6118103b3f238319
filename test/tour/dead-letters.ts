import { isDeepStrictEqual } from 'node:util';
import { letterOf } from '../demo/vaultferry-command.ts';
import { until } from '../servers/until.ts';
import type { Say, Step } from './step.ts';
import { MOUNT, type Tour } from './tour.ts';
import { carried, demand, put } from './watch.ts';

/** A change that cannot be carried, and how a person mends it. */
export const DEAD_LETTERS: readonly Step[] = [
  { name: 'break', run: takeTheName },
  { name: 'explain', run: explain },
  { name: 'redrive', run: redrive },
];

const pathOf = ({ run }: Tour): string => `app/token-${run}`;
const FOREIGN = 'skua-2288';
const OURS = 'razorbill-9043';

const lines = (text: string): string[] => text.trimEnd().split('\n');

/** The id of our secret's letter; `dlq list` ends with 3 as long as there are letters. */
async function letter(tour: Tour): Promise<{ id: string; row: string }> {
  const list = lines(await tour.vaultferry(['dlq', 'list'], 3));
  const id = letterOf(list, `${MOUNT}/${pathOf(tour)}`, 'not_owned');
  return { id, row: list.find((line) => line.startsWith(id)) ?? '' };
}

async function takeTheName(tour: Tour, say: Say): Promise<string> {
  const name = `${MOUNT}/${pathOf(tour)}`;
  say(`$ docker compose exec aws aws secretsmanager create-secret --name ${name} --secret-string …`);
  await tour.aws(['secretsmanager', 'create-secret', '--name', name, '--secret-string', JSON.stringify(FOREIGN)]);
  await put(tour, say, pathOf(tour), OURS);
  say('$ docker compose exec worker-1 vaultferry dlq list');
  const { row } = await until(() => letter(tour), { what: `a letter of ${name}`, deadline: 20_000 });
  say(row);
  demand(isDeepStrictEqual((await tour.copy(name))?.value, FOREIGN), `the foreign secret ${name} was touched`);
  return 'a name that is taken: the change is in the dead-letter queue, the foreign secret untouched';
}

async function explain(tour: Tour, say: Say): Promise<string> {
  const { id } = await letter(tour);
  say(`$ docker compose exec worker-1 vaultferry dlq show ${id}`);
  const advice = lines(await tour.vaultferry(['dlq', 'show', id])).filter((line) => /^(?:means|do) /.test(line));
  demand(advice.length === 2, 'dlq show gives no advice');
  for (const line of advice) say(line);
  return 'it says why, and what to do';
}

async function redrive(tour: Tour, say: Say): Promise<string> {
  const { id } = await letter(tour);
  const remove = ['secretsmanager', 'delete-secret', '--force-delete-without-recovery', '--secret-id'];
  const name = `${MOUNT}/${pathOf(tour)}`;
  say(`$ docker compose exec aws aws ${remove.join(' ')} ${name}`);
  await tour.aws([...remove, name]);
  say(`$ docker compose exec worker-1 vaultferry dlq redrive ${id} --yes`);
  await tour.vaultferry(['dlq', 'redrive', id, '--yes']);
  const seen = await carried(tour, pathOf(tour), 1, OURS);
  say('$ docker compose exec worker-1 vaultferry dlq list');
  for (const line of lines(await tour.vaultferry(['dlq', 'list']))) say(line);
  return seen;
}
