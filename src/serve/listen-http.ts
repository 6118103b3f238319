import type { FastifyInstance } from 'fastify';
import { formatHttpAddress, type HttpAddress } from '../config/address.ts';

/** Binds and tells the real address: of port 0, the kernel chooses one. */
export async function listenHttp(app: FastifyInstance, { host, port }: HttpAddress): Promise<string> {
  await app.listen({ host, port });
  const bound = app.server.address();
  return formatHttpAddress({ host, port: typeof bound === 'object' && bound !== null ? bound.port : port });
}
