import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort } from '../child.ts';
import { type InSync, secretsManagerOf } from '../secrets-manager.ts';

/** A Secrets Manager that has such copies; tells its port. */
parentPort<readonly InSync[], number>(async (copies) => {
  const server = http.createServer(secretsManagerOf(copies));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
});
