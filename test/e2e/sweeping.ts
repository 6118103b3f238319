import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { TagResourceCommand } from '@aws-sdk/client-secrets-manager';
import { encodeMessage, type SweepMessage } from '../../src/queue/message.ts';
import type { LogLine } from '../servers/vaultferry.ts';
import { type Call, sentMessages } from './recorder.ts';
import { REPLICATOR } from './setting.ts';
import type { World } from './world.ts';

/** One request that OpenBao answered. */
interface Answered {
  readonly operation: string;
  readonly path: string;
}

/** What one sweep has said and done. */
export interface Swept {
  /** The line `sweep.finished`. */
  readonly finished: LogLine;
  /** What the worker has logged from the sweep's beginning to its end. */
  readonly lines: readonly LogLine[];
  /** The paths of the changes that it has put on the queue. */
  readonly enqueued: readonly string[];
  /** The calls to AWS from the sweep's beginning until the queue was empty again. */
  readonly calls: readonly Call[];
  /** The replicator's requests to OpenBao from the sweep's beginning to its end. */
  readonly asked: readonly Answered[];
}

/** Asks for a sweep; the reason by which the log names it. */
export async function askForSweep({ aws }: World, approve?: SweepMessage['approve']): Promise<string> {
  const reason = randomUUID();
  const request = { v: 1, kind: 'sweep', vault: 'vault', origin: 'operator', reason } as const;
  await aws.send(encodeMessage({ ...request, ...(approve !== undefined && { approve }) }));
  return reason;
}

/** Asks for a sweep of `worker`, and waits until it is over and what it has put on the queue is done. */
export async function sweepOnce(world: World, worker: string, approve?: SweepMessage['approve']): Promise<Swept> {
  const { bao, ferries, recorder, settled } = world;
  const { logs, waitForLog } = ferries.get(worker);
  const [lines, calls, answered] = [logs().length, recorder.calls.length, answers(bao.auditFilePath).length];
  const reason = await askForSweep(world, approve);
  const isEnd = (line: LogLine) => line['event'] === 'sweep.finished' && line['reason'] === reason;
  const finished = await waitForLog(isEnd, 30_000);
  const until = logs().findIndex(isEnd);
  await settled(30_000);
  const made = recorder.calls.slice(calls);
  const enqueued = sentMessages(made)
    .map(({ body }) => JSON.parse(body) as { readonly kind: string; readonly path: string })
    .flatMap(({ kind, path }) => (kind === 'change' ? [path] : []));
  const asked = answers(bao.auditFilePath).slice(answered);
  return { finished, lines: logs().slice(lines, until + 1), enqueued: enqueued.sort(), calls: made, asked };
}

interface AuditEntry {
  readonly type: string;
  readonly auth?: { readonly policies?: readonly string[] };
  readonly request: Answered;
}

/** The answers to the replicator, by OpenBao's own audit log. */
const answers = (path = ''): Answered[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as AuditEntry)
    .filter(({ type, auth }) => type === 'response' && auth?.policies?.includes(REPLICATOR) === true)
    .map(({ request }) => request);

/** Sets the time of a copy's mark back, as if it had been seen so long ago (ms); the mark as it is now. */
export async function setMarkBack({ aws }: World, name: string, ms: number): Promise<string> {
  const { arn = '', tags = {} } = (await aws.copy(name)) ?? {};
  const mark = tags['vaultferry:absent'] ?? '';
  const space = mark.indexOf(' ');
  const Value = `${new Date(Date.parse(mark.slice(0, space)) - ms).toISOString()}${mark.slice(space)}`;
  await aws.secrets.send(new TagResourceCommand({ SecretId: arn, Tags: [{ Key: 'vaultferry:absent', Value }] }));
  return Value;
}

/** A proxy in front of the emulator that does something before it lets a call of one operation through. */
export async function startWaylayer(upstream: string, operation: string, act: () => Promise<unknown>) {
  const pass = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const body = await buffer(request);
    const { method = 'POST', headers, url = '/' } = request;
    if (String(headers['x-amz-target']).endsWith(`.${operation}`)) await act();
    const onward = http.request(`${upstream}${url}`, { method, headers }).end(body);
    const [answer] = (await once(onward, 'response')) as [http.IncomingMessage];
    response.writeHead(answer.statusCode ?? 502, answer.headers).end(await buffer(answer));
  };
  const server = http.createServer((request, response) => {
    pass(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
