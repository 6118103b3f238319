import type { FastifyInstance } from 'fastify';
import { formatHttpAddress, type HttpAddress } from '../config/address.ts';

/** Binds and tells the real address: of port 0, the kernel chooses one. */
export async function listenHttp(app: FastifyInstance, address: HttpAddress): Promise<string> {
  const { host, port } = address;
  await app.listen({ host, port });
  const bound = app.server.address();
  return formatHttpAddress({ ...address, port: typeof bound === 'object' && bound !== null ? bound.port : port });
}
