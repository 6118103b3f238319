import Fastify from 'fastify';
import t, { type Test } from 'tap';
import { createMetrics } from '../../src/admin/metrics.ts';
import { type AdminOptions, admin } from '../../src/admin/server.ts';
import { createBearerDoor } from '../../src/bearer.ts';
import { Sensitive } from '../../src/sensitive.ts';

function house(t: Test, lacking: readonly string[], token?: string) {
  const app = Fastify();
  t.teardown(() => app.close());
  const options: AdminOptions = {
    readiness: { lacking: async () => lacking },
    registry: createMetrics().registry,
    authorized: createBearerDoor(token === undefined ? undefined : [new Sensitive(token)]).authorized,
  };
  app.register(admin, options);
  return (url: string, authorization?: string) =>
    app.inject({ method: 'GET', url, ...(authorization !== undefined && { headers: { authorization } }) });
}

t.test('/healthz says that the process lives, whatever it lacks', async (t) => {
  const get = house(t, ['vault'], 'admin-token');
  const { statusCode, body } = await get('/healthz');
  t.same([statusCode, body], [200, '{"status":"ok"}']);
});

t.test('/readyz names what is lacking, and no more', async (t) => {
  const ready = await house(t, [], 'admin-token')('/readyz');
  t.same([ready.statusCode, ready.json()], [200, { status: 'ready' }]);
  const lacking = await house(t, ['vault', 'queue'])('/readyz');
  t.same([lacking.statusCode, lacking.json()], [503, { status: 'not ready', lacking: ['vault', 'queue'] }]);
});

t.test('/metrics wants the admin token where there is one', async (t) => {
  const get = house(t, [], 'admin-token');
  for (const authorization of [undefined, 'Bearer wrong', 'admin-token', 'Bearer admin-token2']) {
    const denied = await get('/metrics', authorization);
    t.equal(denied.statusCode, 401);
    t.match(denied.json(), { error: { code: 401, message: /token/ } });
    t.notMatch(denied.body, /vaultferry_|admin-token/);
  }
  const given = await get('/metrics', 'Bearer admin-token');
  t.equal(given.statusCode, 200);
  t.match(given.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  t.match(given.body, /^# HELP vaultferry_audit_lines_total /m);
  t.equal((await house(t, [])('/metrics')).statusCode, 200);
});
