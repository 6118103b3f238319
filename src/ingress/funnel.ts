import { createHash, randomUUID } from 'node:crypto';
import type { ChangeHints, Reading } from '../audit/change.ts';
import type { AuditEntry } from '../audit/entry.ts';
import type { Log } from '../log.ts';
import { auditDeduplicationId, encodeMessage } from '../queue/message.ts';
import type { MountRef, SecretRef } from '../replicate/ref.ts';
import type { Routes, Target } from '../replicate/routes.ts';
import { compactTime } from '../replicate/version-id.ts';
import type { DirtyCopies, OnQueued } from './dirty.ts';
import type { SweepRequests } from './sweep-request.ts';

/** The largest body that a batch of SQS has room for; no secret whose reference is longer has a valid name in AWS. */
const MAX_BODY = 200 * 1024;

export interface FunnelOptions {
  readonly vault: string;
  readonly read: (entry: AuditEntry) => Reading;
  readonly routes: Routes;
  readonly dirty: DirtyCopies;
  readonly sweeps: SweepRequests;
  readonly log: Log;
  readonly metrics: FunnelMetrics;
  /** A mount was created, moved or tuned: what is known of it may be wrong. */
  readonly onMountChange: () => void;
  /** A mount whose KV version is not known is being written to. */
  readonly onUnknownMount: () => void;
}

export interface FunnelMetrics {
  /** What became of an audit entry: `change`, `sweep`, or why nothing. */
  entry(result: string): void;
  change(route: string): void;
}

/** Where both doors meet: an entry becomes dirty copies, a request for a sweep, or nothing. */
export interface Funnel {
  /** Calls `onQueued` once for each message that the entry asks for; returns how many those are. */
  accept(entry: AuditEntry, onQueued?: OnQueued): number;
}

export function createFunnel(options: FunnelOptions): Funnel {
  const { read, routes, dirty, sweeps, metrics } = options;
  const warnOfRawValues = once(() => options.log.warn({ event: 'audit.log_raw', text: RAW_VALUES }));

  const change = (ref: SecretRef, kv: 1 | 2, hints: ChangeHints, onQueued: readonly OnQueued[]): number => {
    const auditTime = compactTime(hints.auditTime ?? '') ?? ''; // Go trims zeros: as written, times do not compare
    let messages = 0;
    for (const target of routes.targets(ref)) {
      const body = changeBody(options.vault, ref, kv, hints, target);
      if (Buffer.byteLength(body) > MAX_BODY) continue;
      const { requestId = randomUUID() } = hints;
      const message = { body, group: target.group, deduplicationId: auditDeduplicationId(target.group, requestId) };
      dirty.add({ key: copyKey(ref, target, hints.version !== undefined), message, auditTime, onQueued });
      metrics.change(target.route);
      messages += 1;
    }
    return messages;
  };

  return {
    accept(entry, onQueued) {
      if (entry.rawValues) warnOfRawValues();
      const reading = read(entry);
      const told = onQueued === undefined ? [] : [onQueued];
      metrics.entry(reading.kind === 'nothing' ? reading.why : reading.kind);
      switch (reading.kind) {
        case 'change':
          return change(reading.ref, reading.kv, reading.hints, told);
        case 'sweep':
          if (reading.reason === 'kv_version_unknown') options.onUnknownMount();
          else options.onMountChange();
          sweeps.ask(reading.reason === 'remount' ? 'mounts' : reading.reason, told);
          return 1;
        case 'nothing':
          return 0;
        default:
          return reading satisfies never;
      }
    },
  };
}

const RAW_VALUES =
  'the audit device has log_raw on: secrets stand readable in its stream. VaultFerry never needs them; turn log_raw off';

function changeBody(vault: string, ref: SecretRef, kv: 1 | 2, hints: ChangeHints, target: Target): string {
  const { route, destination } = target;
  return encodeMessage({ v: 1, kind: 'change', vault, ...ref, route, destination, origin: 'audit', kv, ...hints });
}

/**
 * Short, whatever the ref is: thousands of them may wait. A change that tells of no version (a delete, metadata) must not
 * take the place of one that does: its version is what a lagging standby's answer is held against.
 */
const copyKey = (ref: MountRef & SecretRef, { group }: Target, toldVersion: boolean): string =>
  createHash('sha1')
    .update(JSON.stringify([group, ref.namespace, ref.mount, ref.path, toldVersion]))
    .digest('base64');

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}
