import t from 'tap';
import { projectRoot } from '../servers/root.ts';
import { MUTATIONS, SEEDS } from './mutations.ts';
import { workshop } from './run.ts';

const shop = workshop();
t.teardown(shop.close);
t.setTimeout(1_800_000);

for (const mutation of MUTATIONS) {
  t.test(`caught: ${mutation.name}`, async (t) => {
    const { violation, seeds } = await shop.trial(projectRoot(), mutation, SEEDS);
    t.comment(`after ${seeds} seeds: ${violation}`);
    const promise = Number(/^promise (\d)/.exec(violation ?? '')?.[1]);
    t.ok(mutation.breaks.includes(promise), `one of ${mutation.breaks.join(', ')} in at most ${SEEDS} seeds`);
  });
}
