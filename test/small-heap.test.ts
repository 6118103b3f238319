import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';

const run = promisify(execFile);
const smallHeap = new URL('../src/small-heap.js', import.meta.url).href;

/** Keeps 64 MB, a megabyte in each turn of the loop, and prints how much room there was for what is young, in MB. */
const KEEPING = `
import v8 from 'node:v8';
import { setImmediate as turn } from 'node:timers/promises';
const sizes = [];
const kept = [];
for (let round = 0; round < 64; round += 1) {
  kept.push(Array.from({ length: 1024 }, () => new Array(128).fill(round)));
  sizes.push(v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size / 2 ** 20);
  await turn();
}
console.log(Math.max(...sizes), kept.length);
`;

async function mostRoom(program: string): Promise<number> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
  return Number(stdout.split(' ')[0]);
}

t.test('what is young grows to two halves of 4 MB, and no further', async (t) => {
  t.equal(await mostRoom(`import ${JSON.stringify(smallHeap)};${KEEPING}`), 8);
  t.ok((await mostRoom(KEEPING)) > 8, 'by itself V8 makes more room');
});
