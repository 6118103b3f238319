import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import picomatch from 'picomatch';
import t from 'tap';
import { parse } from 'yaml';
import { projectRoot } from './servers/root.ts';
import { sharesProcess } from './together.ts';

t.test('every test file runs once: in a process of its own, or with those of its folder', async (t) => {
  const { include } = parse(await readFile(join(projectRoot(), '.taprc'), 'utf8')) as { include: string[] };
  const hasProcess = picomatch(include.map((glob) => glob.replace(/\.js$/, '.ts')));
  const names = (await readdir(join(projectRoot(), 'test'), { recursive: true })).map((name) =>
    name.replaceAll('\\', '/'),
  );
  const tests = names.filter((name) => name.endsWith('.test.ts'));
  const runs = (name: string) => {
    const all = `${name.slice(0, name.indexOf('/'))}/all.ts`;
    const together = name.includes('/') && sharesProcess(name) && names.includes(all);
    return Number(together) + Number(hasProcess(`build/test/${name}`));
  };
  t.ok(tests.length > 200);
  t.same(
    tests.filter((name) => runs(name) !== 1),
    [],
    "name their folder in .taprc's include, or give it an all.ts",
  );
  const programs = names.filter((name) => /(^|\/)all\.ts$/.test(name));
  t.ok(programs.length > 0 && programs.every((name) => hasProcess(`build/test/${name}`)));
});
