import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';

const run = promisify(execFile);
const smallHeap = JSON.stringify(new URL('../src/small-heap.js', import.meta.url).href);

/** Keeps 64 MB without a turn of the loop, and prints the most that both halves of what is young had, in MB. */
const KEEPING = `
import v8 from 'node:v8';
const sizes = [];
const kept = [];
for (let round = 0; round < 64; round += 1) {
  kept.push(Array.from({ length: 1024 }, () => new Array(128).fill(round)));
  sizes.push(v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size / 2 ** 20);
}
console.log(Math.max(...sizes), kept.length);
`;

async function mostRoom(before: string): Promise<number> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', before + KEEPING]);
  return Number(stdout.split(' ')[0]);
}

t.test('what is young gets no more room than is said, however much of it stays alive', async (t) => {
  t.ok((await mostRoom('')) > 16, 'by itself V8 makes more and more');
  t.ok((await mostRoom(`import ${smallHeap};`)) < 8, 'as much as it had');
  t.equal(await mostRoom(`import { growYoung } from ${smallHeap}; growYoung();`), 8);
});
