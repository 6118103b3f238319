import t from 'tap';
import { freeName, freePath } from '../../src/doctor/free-path.ts';

const route = (include: readonly string[], exclude: readonly string[] = []) => ({
  ...{ name: 'r', namespace: '', mount: 'kv', to: ['default'], as: '{path}' },
  ...{ include, exclude },
});

t.test('a path that a route means and that nobody has', async (t) => {
  const cases: readonly (readonly [readonly string[], readonly string[], string | undefined])[] = [
    [['**'], [], 'free'],
    [['app/**'], [], 'app/free'],
    [['app/*/db', 'x'], [], 'app/free/db'],
    [['*.json'], [], 'free.json'],
    [['app/db', 'other/*'], [], 'other/free'],
    [['app/db'], [], undefined],
    [['app/{a,b}/*'], [], undefined],
    [['app/?'], [], undefined],
    [['app/**', 'web/**'], ['app/**'], 'web/free'],
    [['**'], ['**'], undefined],
  ];
  for (const [include, exclude, path] of cases) {
    t.equal(freePath(route(include, exclude), 'free'), path, `${include} without ${exclude}`);
  }
});

t.test('free names are long and never twice the same', async (t) => {
  t.match(freeName(), /^vaultferry-doctor-[0-9a-f]{32}$/);
  t.not(freeName(), freeName());
});
