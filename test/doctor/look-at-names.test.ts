import t from 'tap';
import { lookAtNames } from '../../src/doctor/look-at-names.ts';
import { ReplicationError } from '../../src/errors.ts';
import { createRoutes } from '../../src/replicate/routes.ts';

const route = (mount: string, as = '{mount}/{path}') => ({
  ...{ name: mount, namespace: '', mount, to: ['default'], as },
  ...{ include: ['**'], exclude: ['hidden/**'] },
});
const routes = createRoutes([route('kv', '{path}'), route('other', '{path}')], { default: {} });
const source = (names: Readonly<Record<string, readonly string[]>>) => ({
  async *list({ mount }: { readonly mount: string }) {
    yield* names[mount] ?? [];
  },
});

t.test('the copies that the secrets ask for', async (t) => {
  const facts = await lookAtNames(source({ kv: ['a', 'hidden/b'], other: ['a'] }), routes);
  t.match(facts, {
    kind: 'listed',
    secrets: 3,
    copies: [
      { ref: 'kv/a', secretName: 'a', destination: 'default' },
      { ref: 'other/a', secretName: 'a', destination: 'default' },
    ],
  });
  if (facts.kind === 'listed') t.equal(facts.copies[0]?.group, facts.copies[1]?.group);
});

t.test('too many are not listed to the end', async (t) => {
  const names = { kv: ['a', 'b'], other: ['c'] };
  t.strictSame(await lookAtNames(source(names), routes, 2), { kind: 'too_many', most: 2 });
  t.match(await lookAtNames(source(names), routes, 3), { kind: 'listed' });
});

t.test('a listing that fails', async (t) => {
  const failing = (error: Error) => ({
    // biome-ignore lint/correctness/useYield: it fails before its first name
    async *list(): AsyncGenerator<string> {
      throw error;
    },
  });
  const forbidden = new ReplicationError('source_forbidden', 'the policy needs a line');
  t.strictSame(await lookAtNames(failing(forbidden), routes), { kind: 'unknown', reason: 'the policy needs a line' });
  await t.rejects(lookAtNames(failing(new TypeError('x')), routes), TypeError);
});
