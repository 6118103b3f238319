import { parseArgs } from 'node:util';
import { projectRoot } from '../servers/root.ts';
import { MUTATIONS } from './mutations.ts';
import { workshop } from './run.ts';

/** Searches the seed that catches a mistake: `--find` takes a part of its name, or nothing for all of them. */
const { values } = parseArgs({
  options: {
    find: { type: 'string', default: '' },
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
  },
});

const shop = workshop(projectRoot());
try {
  for (const mutation of MUTATIONS.filter(({ name }) => name.includes(values.find))) {
    const caught = await shop.find(mutation, Number(values.from), Number(values.seeds)).catch(String);
    const told = caught === undefined || typeof caught === 'string' ? (caught ?? 'no seed catches it') : toldOf(caught);
    console.log(`${mutation.name}: ${told}`);
  }
} finally {
  shop.close();
}

function toldOf({ seed, violation }: { readonly seed: number; readonly violation: string }): string {
  return `caughtBy: ${seed} (${violation})`;
}
