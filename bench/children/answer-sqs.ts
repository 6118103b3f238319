import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort } from '../child.ts';

/** `up` answers at once, `hang` never, `refuse` with 503. */
export type Mode = 'up' | 'hang' | 'refuse';
export type Ask = { readonly mode: Mode } | 'messages';

interface Entry {
  readonly Id: string;
}

/** An SQS that takes every batch and keeps none; it can go away, too. */
let mode: Mode = 'up';
let messages = 0;

function answer(operation: string, body: string): object {
  if (operation !== 'SendMessageBatch') return { Attributes: {} };
  const { Entries } = JSON.parse(body) as { Entries: readonly Entry[] };
  messages += Entries.length;
  return {
    Successful: Entries.map(({ Id }) => ({ Id, MessageId: Id })), // no MD5 sums: nobody checks them, and this CPU is shared
  };
}

const server = http.createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  if (mode === 'hang') return;
  if (mode === 'refuse') return void response.writeHead(503).end('{}');
  const operation = String(request.headers['x-amz-target']).replace(/^.*\./, '');
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(JSON.stringify(answer(operation, Buffer.concat(chunks).toString())));
});
const listening = new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

parentPort<Ask, { readonly port: number; readonly messages: number }>(async (ask) => {
  if (ask !== 'messages') ({ mode } = ask);
  await listening;
  return { port: (server.address() as AddressInfo).port, messages };
});
