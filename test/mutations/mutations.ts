import type { Edit } from './emit.ts';

/** A mistake that somebody could make, and the promises of which it breaks at least one. */
export interface Mutation extends Edit {
  readonly name: string;
  readonly breaks: readonly number[];
  /** A seed that catches it. */
  readonly caughtBy: number;
  /** Where one edit is not enough. */
  readonly also?: readonly Edit[];
}

const MARK_FITS = `mark !== undefined && mark.slice(mark.indexOf(' ') + 1) === fits`;
const COMPARED_BY_TIME = `a.time < b.time || (a.time === b.time && a.version < b.version)`;

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'promotion without the swap',
    breaks: [4],
    caughtBy: 34,
    file: 'src/aws/secrets-manager.ts',
    find: 'VersionStages: [STAGING_LABEL] };',
    put: "VersionStages: ['AWSCURRENT'] };",
  },
  {
    name: 'the id at AWSCURRENT is read after Vault',
    breaks: [4, 8],
    caughtBy: 18,
    file: 'src/replicate/look-at.ts',
    find: `  const destination = await ports.destination.describe(secretName);
  const source = await ports.source.read(ref);
`,
    put: `  const source = await ports.source.read(ref);
  const destination = await ports.destination.describe(secretName);
`,
  },
  {
    name: 'the destination is described once, and remembered',
    breaks: [4, 5, 7, 8],
    caughtBy: 1,
    file: 'src/replicate/look-at.ts',
    find: 'await ports.destination.describe(secretName);',
    put: 'await remembered(ports.destination, secretName);\n',
    also: [
      {
        file: 'src/replicate/look-at.ts',
        find: '/** What one message asks for: one secret, one copy. */',
        put: `const memory = new WeakMap<object, Map<string, Promise<any>>>();
function remembered(destination: any, name: string) {
  const known = memory.get(destination) ?? new Map();
  memory.set(destination, known);
  const seen = known.get(name) ?? destination.describe(name);
  known.set(name, seen);
  return seen;
}
/** What one message asks for: one secret, one copy. */`,
      },
    ],
  },
  {
    name: 'a message is acknowledged before it is looked at',
    breaks: [8],
    caughtBy: 6,
    file: 'src/worker/looks.ts',
    find: 'await settle(messages, await look(messages).catch(unsettled)).catch(unsettled);',
    put: `inFlight.remove(messages);
    await inbox.acknowledge(messages).catch(unsettled);
    await look(messages).catch(unsettled);`,
  },
  {
    name: 'entries from before the commit are acted on',
    breaks: [8],
    caughtBy: 91,
    file: 'src/audit/change.ts',
    find: `    if (entry.type === 'request') return nothing('request'); // written before the commit\n`,
    put: '',
  },
  {
    name: 'every redrive has the same deduplication id',
    breaks: [8],
    caughtBy: 1033,
    file: 'src/dead-letters/send-back.ts',
    find: 'deduplicationId: freshId() }',
    put: "deduplicationId: 'redrive' }",
  },
  {
    name: 'a secret is named, not known by its ARN',
    breaks: [5],
    caughtBy: 53,
    file: 'src/replicate/replicate.ts',
    find: `const arn = look.destination?.arn ?? '';`,
    put: 'const arn = look.secretName;',
  },
  {
    name: 'a 404 is an absence by the entry that was read beside it',
    breaks: [4, 6, 8],
    caughtBy: 84,
    file: 'src/vault/read.ts',
    find: 'const after = await mounts.entry(ref);',
    put: `const after = 'mount' in beside ? beside.mount : await mounts.entry(ref);`,
  },
  {
    name: 'a mark is a mark, whatever it was set for',
    breaks: [8],
    caughtBy: 153,
    file: 'src/replicate/decide.ts',
    find: MARK_FITS,
    put: 'mark !== undefined',
  },
  {
    name: 'a mark stays on a secret that is there again',
    breaks: [8],
    caughtBy: 1,
    file: 'src/replicate/decide.ts',
    find: 'remove: TAG_ABSENT in destination.tags ? [TAG_ABSENT] : [],',
    put: 'remove: [],',
  },
  {
    name: 'old answers are believed',
    breaks: [4],
    caughtBy: 117,
    file: 'src/replicate/decide.ts',
    find: 'isBehindCurrent(look) && !look.acceptStale ? holdStale(look) : undefined;',
    put: 'undefined;',
  },
  {
    name: 'old answers are never believed',
    breaks: [7, 8],
    caughtBy: 31,
    file: 'src/replicate/stale-rows.ts',
    find: 'return row !== undefined && now - Math.max(row.first, sent) >= BELIEVED_AFTER;',
    put: 'return false;',
  },
  {
    name: 'versions are compared by number alone',
    breaks: [4, 7, 8],
    caughtBy: 27,
    file: 'src/replicate/version-id.ts',
    find: COMPARED_BY_TIME,
    put: 'a.version < b.version',
  },
  {
    name: 'what was read may be acted on however old it is',
    breaks: [4, 6, 8],
    caughtBy: 365,
    file: 'src/replicate/errand.ts',
    find: 'if (age <= during) return;',
    put: 'return;',
  },
  {
    name: 'a message is parked with the id of its group',
    breaks: [7, 8],
    caughtBy: 2,
    file: 'src/worker/park.ts',
    find: 'deduplicationId: parkingDeduplicationId(message.id, message.receives),',
    put: `deduplicationId: 'parked',`,
    also: [{ file: 'src/worker/park.ts', find: 'group: message.id,', put: 'group: message.group,' }],
  },
  {
    name: 'a secret is written whoever owns it',
    breaks: [5],
    caughtBy: 8,
    file: 'src/replicate/decide.ts',
    find: 'if (foreign.length > 0) return refuseForeign(look, destination, foreign);',
    put: '',
  },
  {
    name: 'the accessor is no part of the ownership',
    breaks: [5],
    caughtBy: 66,
    file: 'src/replicate/tags.ts',
    find: 'Object.entries(ownershipTags(owner)).flatMap(',
    put: `Object.entries(ownershipTags(owner)).filter(([key]) => key !== TAG_MOUNT).flatMap(`,
  },
  {
    name: 'a lost swap is done',
    breaks: [8],
    caughtBy: 46,
    file: 'src/aws/secrets-manager.ts',
    find: `{ codes: SWAP, limiter: versions }, (limit) =>
      onceClient.send(new UpdateSecretVersionStageCommand({ SecretId: arn, ...swap, ...guard }), limit),
    );`,
    put: `{ codes: SWAP, limiter: versions }, (limit) =>
      onceClient.send(new UpdateSecretVersionStageCommand({ SecretId: arn, ...swap, ...guard }), limit),
    ).catch(() => undefined);`,
  },
  {
    name: 'the swap is not guarded',
    breaks: [4, 7, 8],
    caughtBy: 225,
    file: 'src/aws/secrets-manager.ts',
    find: 'const guard = from === undefined ? {} : { RemoveFromVersionId: from };',
    put: `const now = from === undefined ? undefined : await describeWith({ client: onceClient })(arn);
    const at = now && [...now.stages].find(([, labels]) => labels.includes(CURRENT))?.[0];
    const guard = at === undefined ? {} : { RemoveFromVersionId: at };`,
  },
  {
    name: 'messages that wait are dropped',
    breaks: [8],
    caughtBy: 115,
    file: 'src/worker/looks.ts',
    find: 'for (const each of wait) await room.wait(each);',
    put: 'for (const { messages: dropped } of wait) await inbox.acknowledge(dropped);',
  },
  {
    name: 'what an event told of is not held against the answer',
    breaks: [8],
    caughtBy: 117,
    file: 'src/replicate/decide.ts',
    find: 'if (hint === undefined || source.mount.kv === 1) return false;',
    put: 'return false;',
  },
  {
    name: 'a sweep looks at Vault alone, not at the copies',
    breaks: [8],
    caughtBy: 320,
    file: 'src/sweep/compare.ts',
    find: 'leftOver(options, name, copy, { known, gaps })',
    put: 'undefined',
  },
  {
    name: 'a restored copy is done with',
    breaks: [8],
    caughtBy: 117,
    file: 'src/replicate/replicate.ts',
    find: `if (outcome === 'restored') return 'again';`,
    put: '',
  },
  {
    name: 'a copy that is scheduled for deletion stays so',
    breaks: [7, 8],
    caughtBy: 4,
    file: 'src/replicate/decide.ts',
    find: `if (destination.scheduledForDeletion) return { kind: 'restore' };`,
    put: '',
  },
  {
    name: 'two writes of a secret within five minutes are one message',
    breaks: [8],
    caughtBy: 34,
    file: 'src/queue/message.ts',
    find: `idOf('audit', group, requestId);`,
    put: `idOf('audit', group);`,
  },
  {
    name: 'what could not be listed is taken for empty',
    breaks: [8],
    caughtBy: 14,
    file: 'src/vault/list.ts',
    find: "throw forbidden(ref.namespace, what, policyLine(ref, below, 'list'));",
    put: 'return [];',
  },
  {
    name: 'the id of a KV v1 secret is made of its value',
    breaks: [1],
    caughtBy: 49,
    file: 'src/replicate/decide.ts',
    find: 'putId(now, fresh);',
    put: "putId(now, createHash('sha256').update(source.value.reveal()).digest('hex').slice(0, 24));",
    also: [
      {
        file: 'src/replicate/decide.ts',
        find: "import type { FailureCode } from '../errors.ts';",
        put: "import { createHash } from 'node:crypto';\nimport type { FailureCode } from '../errors.ts';",
      },
    ],
  },
  {
    name: 'a KV v1 secret is written over without a look at its value',
    breaks: [4, 7, 8],
    caughtBy: 498,
    file: 'src/replicate/decide.ts',
    find: '!isVersioned(source) && currentValue?.reveal() === source.value.reveal();',
    put: '!isVersioned(source) && false;',
  },
  {
    name: 'a deletion does not wait for its grace',
    breaks: [6],
    caughtBy: 205,
    file: 'src/sweep/deletion.ts',
    find: 'return since + grace <= now ?',
    put: 'return since + grace * 0 <= now ?',
  },
  {
    name: 'a deletion looks at nothing once more',
    breaks: [4, 5, 6, 8],
    caughtBy: 90,
    file: 'src/sweep/delete-copies.ts',
    find: 'if (why !== undefined) {',
    put: 'if (why === undefined && false) {',
  },
  {
    name: 'after a deletion Vault is not read once more',
    breaks: [4, 6, 8],
    caughtBy: 69,
    file: 'src/sweep/delete-copies.ts',
    find: "if (source.kind === 'absent') return true;",
    put: 'if (source !== undefined) return true;',
  },
  {
    name: 'a deletion may be sent however old its look is',
    breaks: [6],
    caughtBy: 2012,
    file: 'src/sweep/delete-copies.ts',
    find: `      await errand.turn(limiter, need);
      try {
        await extend().catch(mustEnd);
        errand.stillFresh();`,
    put: `      await limiter.turn(need);
      try {
        await extend().catch(mustEnd);`,
  },
  {
    name: 'a deletion is sent without a look at whose request it is',
    breaks: [6],
    caughtBy: 21,
    file: 'src/sweep/delete-copies.ts',
    find: 'await extend().catch(mustEnd);',
    put: '',
  },
  {
    name: 'copies are deleted in bulk',
    breaks: [6],
    caughtBy: 56,
    file: 'src/sweep/deletion.ts',
    find: 'return others.length <= most ?',
    put: 'return others.length <= most * 100 ?',
  },
  {
    name: 'a secret may have any number of versions',
    breaks: [7],
    caughtBy: 176,
    file: 'src/replicate/put-in-turn.ts',
    find: 'if (seconds > 0) throw notYet(arn, seconds);',
    put: '',
  },
  {
    name: 'KV v1 is told apart by no value',
    breaks: [4, 7, 8],
    caughtBy: 43,
    file: 'src/replicate/decide.ts',
    find: '!isVersioned(source) && currentValue?.reveal() === source.value.reveal();',
    put: '!isVersioned(source) && currentValue !== undefined;',
  },
  {
    name: 'a value stands in a tag',
    breaks: [1],
    caughtBy: 1,
    file: 'src/replicate/replicate.ts',
    find: 'await destination.put(arn, action.versionId, action.source.value, errand);',
    put: `await destination.put(arn, action.versionId, action.source.value, errand);
      await destination.retag(arn, { set: { value: action.source.value.reveal().slice(0, 40) }, remove: [] }, errand);`,
  },
];
