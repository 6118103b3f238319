import type { FastifyPluginAsync } from 'fastify';
import type { Registry } from 'prom-client';
import { bearerTest } from '../bearer.ts';
import type { Sensitive } from '../sensitive.ts';
import type { Readiness } from './readiness.ts';

export interface AdminOptions {
  readonly readiness: Readiness;
  readonly registry: Registry;
  readonly token?: Sensitive<string>;
}

/** `/healthz` and `/readyz` are open, `/metrics` wants the admin token where there is one. */
export const admin: FastifyPluginAsync<AdminOptions> = async (app, { readiness, registry, token }) => {
  const authorized = token === undefined ? () => true : bearerTest([token]);
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const lacking = await readiness.lacking();
    if (lacking.length === 0) return { status: 'ready' };
    return reply.code(503).send({ status: 'not ready', lacking });
  });
  app.get('/metrics', async (request, reply) => {
    if (!authorized(request.headers.authorization)) {
      return reply.code(401).send({ error: { code: 401, message: 'the admin token is needed' } });
    }
    return reply.type(registry.contentType).send(await registry.metrics());
  });
};
