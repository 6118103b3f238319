import type { FastifyPluginAsync } from 'fastify';
import type { Registry } from 'prom-client';
import type { BearerTest } from '../bearer.ts';
import type { Readiness } from './readiness.ts';

export interface AdminOptions {
  readonly readiness: Readiness;
  readonly registry: Registry;
  /** Seconds that the oldest change has waited for SQS; where there is an ingress. */
  readonly oldestDirty?: (() => number) | undefined;
  /** Whether an Authorization header opens what is not open to all. */
  readonly authorized: BearerTest;
}

/** `/healthz` and `/readyz` are open, `/metrics` wants the admin token where there is one. */
export const admin: FastifyPluginAsync<AdminOptions> = async (app, options) => {
  const { readiness, registry, authorized, oldestDirty } = options;
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const lacking = await readiness.lacking();
    const waiting = oldestDirty && { oldestDirtySeconds: Math.round(oldestDirty()) };
    if (lacking.length === 0) return { status: 'ready', ...waiting };
    return reply.code(503).send({ status: 'not ready', lacking, ...waiting });
  });
  app.get('/metrics', async (request, reply) => {
    if (!authorized(request.headers.authorization)) {
      return reply.code(401).send({ error: { code: 401, message: 'the admin token is needed' } });
    }
    return reply.type(registry.contentType).send(await registry.metrics());
  });
};
