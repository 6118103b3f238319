import { hash, randomUUID } from 'node:crypto';
import type { Reading } from '../audit/change.ts';
import type { AuditEntry } from '../audit/entry.ts';
import type { Log } from '../log.ts';
import { auditDeduplicationId, encodeChange } from '../queue/message.ts';
import { formatRef, mountKey, type SecretRef } from '../replicate/ref.ts';
import type { Routes, Target } from '../replicate/routes.ts';
import { compactTime } from '../replicate/version-id.ts';
import type { DirtyCopies, OnQueued } from './dirty.ts';
import type { SweepRequests } from './sweep-request.ts';

/** Entries of mounts whose version is not known yet that are kept; a sweep is asked for in any case. */
const MAX_UNREAD = 1_000;

export interface FunnelOptions {
  readonly vault: string;
  readonly read: (entry: AuditEntry) => Reading;
  readonly routes: Routes;
  readonly dirty: DirtyCopies;
  readonly sweeps: SweepRequests;
  readonly log: Log;
  readonly metrics: FunnelMetrics;
  /** A mount has changed, or one whose KV version is not known is in use: Vault is asked about the mounts now. */
  readonly askMounts: () => void;
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
  /** The KV versions are known now: reads again what came before they were. */
  readAgain(): void;
}

export function createFunnel(options: FunnelOptions): Funnel {
  const { read, sweeps, metrics } = options;
  const warnOfRawValues = once(() => options.log.warn({ event: 'audit.log_raw', text: RAW_VALUES }));
  const carry = createCarrier(options);
  let unread: AuditEntry[] = [];

  const ask = (reason: SweepReason, entry: AuditEntry, told: readonly OnQueued[]) => {
    const { error: _, ...rest } = entry; // it is no refusal, and may be long
    if (reason === 'kv_version_unknown' && unread.length < MAX_UNREAD) unread.push(rest);
    options.askMounts();
    sweeps.ask(reason === 'remount' ? 'mounts' : reason, told);
    return 1;
  };
  const act = (reading: Reading, entry: AuditEntry, told: readonly OnQueued[]): number => {
    switch (reading.kind) {
      case 'change':
        return carry(reading, told);
      case 'sweep':
        return ask(reading.reason, entry, told);
      case 'nothing':
        return 0;
      default:
        return reading satisfies never;
    }
  };
  const accept = (entry: AuditEntry, onQueued?: OnQueued): number => {
    if (entry.rawValues) warnOfRawValues();
    const reading = read(entry);
    metrics.entry(reading.kind === 'nothing' ? reading.why : reading.kind);
    return act(reading, entry, onQueued === undefined ? [] : [onQueued]);
  };
  const readAgain = () => {
    const entries = unread;
    unread = [];
    for (const entry of entries) act(read(entry), entry, []); // each was counted when it came
  };
  return { accept, readAgain };
}

type Change = Extract<Reading, { kind: 'change' }>;
type SweepReason = Extract<Reading, { kind: 'sweep' }>['reason'];

/** Makes a change's copies dirty; returns how many messages that will be. */
function createCarrier({ vault, routes, dirty, metrics }: FunnelOptions) {
  return ({ ref, kv, hints }: Change, onQueued: readonly OnQueued[]): number => {
    const auditTime = compactTime(hints.auditTime ?? '') ?? ''; // Go trims zeros: as written, times do not compare
    const telling = hints.version !== undefined || hints.purge === true;
    const requestId = hints.requestId ?? randomUUID();
    let messages = 0;
    for (const target of routes.targets(ref)) {
      const { route, destination, group } = target;
      const body = encodeChange(vault, ref, target, { origin: 'audit', kv, ...hints });
      const about = { ref: formatRef(ref), destination };
      const message = { body, group, deduplicationId: auditDeduplicationId(group, requestId) };
      dirty.add({ key: copyKey(ref, target), about, message, auditTime, telling, onQueued });
      metrics.change(route);
      messages += 1;
    }
    return messages;
  };
}

const RAW_VALUES =
  'the audit device has log_raw on: secrets stand readable in its stream. VaultFerry never needs them; turn log_raw off';

/** Short, whatever the ref is: thousands of them may wait. No part holds the byte between them. */
const copyKey = (ref: SecretRef, { group }: Target): string =>
  hash('sha1', `${group}\0${mountKey(ref)}\0${ref.path}`, 'base64');

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}
