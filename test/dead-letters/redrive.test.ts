import t from 'tap';
import { redriveOf } from '../../src/dead-letters/redrive.ts';
import { createRoutes, messageGroup } from '../../src/replicate/routes.ts';
import { changeBody, held, ROUTES, SWEEP_BODY, unexplained } from './letters.ts';

t.test("a change goes to the group of today's routes, whatever its letter's was", async (t) => {
  const [target] = ROUTES.targets({ namespace: '', mount: 'kv', path: 'app' });
  t.match(target?.group, /^[0-9a-f]{64}$/);
  for (const letter of [held(changeBody('app')), unexplained(changeBody('app', { route: 'renamed since' }))]) {
    t.same(redriveOf(letter, ROUTES), { kind: 'send', group: target?.group });
  }
});

t.test("a request to sweep goes to the sweeps' group", async (t) => {
  t.same(redriveOf(unexplained(SWEEP_BODY), ROUTES), { kind: 'send', group: 'sweep-vault' });
});

t.test('what cannot go back is refused with its reason', async (t) => {
  const refusals: readonly [ReturnType<typeof held>, RegExp][] = [
    [held(changeBody('gone/app')), /^no route leads kv\/gone\/app to the destination "default" any more: /],
    [
      held(changeBody('app', { destination: 'other' })),
      /^no route leads kv\/app to the destination "other" any more: /,
    ],
    [held(changeBody('app', { mount: 'unrouted' })), /^no route leads unrouted\/app /],
    [held('not ours', { code: 'message_malformed' }), /no message for this Vault .* drop it$/],
    [held(changeBody('app', { vault: 'other' })), /no message for this Vault/],
    [unexplained('canary'), /^it is none of VaultFerry's$/],
  ];
  for (const [letter, reason] of refusals) t.match(redriveOf(letter, ROUTES), { kind: 'refuse', reason });
});

t.test('of two names in one destination each has its own group, and a route that is gone has none', async (t) => {
  const both = ['one', 'two'].map((name) => ({
    ...{ name, namespace: '', mount: 'kv', include: ['**'], exclude: [], to: ['default'] },
    as: `${name}/{path}`,
  }));
  const routes = createRoutes(both, { default: {} });
  for (const name of ['one', 'two']) {
    const group = messageGroup({}, `${name}/app`);
    t.same(redriveOf(held(changeBody('app', { route: name })), routes), { kind: 'send', group });
  }
  t.match(redriveOf(held(changeBody('app', { route: 'gone' })), routes), { kind: 'refuse', reason: /no route leads/ });
});
