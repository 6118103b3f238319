import { explain } from '../dead-letters/advice.ts';
import type { Unread } from '../dead-letters/box.ts';
import type { Letter } from '../dead-letters/letter.ts';
import { shortIds } from '../dead-letters/select.ts';
import type { Message } from '../queue/message.ts';
import { age, alignedTable, count, printable } from './table.ts';

/** The lines of `dlq list`. `now` in ms since the epoch. */
export function listed(letters: readonly Letter[], unread: Unread, now: number): string[] {
  const rest = [...unreadLines(unread), ...nextSteps(letters)];
  if (letters.length === 0) return rest.length > 0 ? rest : ['no dead letters'];
  const shorts = shortIds(letters.map(({ id }) => id));
  const rows = letters.map((letter) => [
    printable(shorts.get(letter.id) ?? letter.id),
    age(now - parkedAt(letter)),
    letter.code,
    letter.receives === undefined ? '-' : String(letter.receives),
    subject(letter),
  ]);
  const table = alignedTable([['ID', 'AGE', 'CODE', 'RECEIVES', 'REF'], ...rows], [1, 3]);
  return [...table, '', count(letters.length, 'letter'), ...rest];
}

const parkedAt = ({ time, sentAt }: Letter): number => (time === undefined ? sentAt : Date.parse(time));

/** What a letter is about, in a few words; nothing of a body that cannot be read. */
export function subject({ kind, message, ref, bytes }: Letter): string {
  if (kind === 'foreign') return `(foreign, ${count(bytes, 'byte')})`;
  if (message?.kind === 'change') return printable(`${ref} -> ${message.destination}`);
  if (message?.kind === 'sweep') return `(a request to sweep: ${message.origin})`;
  return ref === undefined ? `(unreadable, ${count(bytes, 'byte')})` : printable(ref);
}

const nextSteps = (letters: readonly Letter[]): string[] =>
  letters.length === 0
    ? []
    : [
        'What each means and what to do:    vaultferry dlq show ID',
        'Once it is mended, send them back: vaultferry dlq redrive ID… | --code CODE | --all',
        'What nobody needs any more:        vaultferry dlq drop ID…',
      ];

/** What could not be read, and how it can be. */
export function unreadLines({ heldByOthers, waiting }: Unread): string[] {
  const held = `${heldByOthers} more, held by another reader just now: look again in half a minute`;
  const behind = `${waiting} more, not to be seen yet: a FIFO queue shows at most ten of one group, and more once those are redriven or dropped`;
  return [...(heldByOthers > 0 ? [held] : []), ...(waiting > 0 ? [behind] : [])];
}

/** The lines of `dlq show`. */
export function shown(letter: Letter, now: number): string[] {
  const { meaning, advice } = explain(letter.code);
  const { receives, time } = letter;
  const rows = [
    ['id', letter.id],
    ['code', letter.code],
    ['ref', letter.ref],
    ['text', letter.text],
    ['means', meaning],
    ['do', advice],
    ['parked', time && `${time} (${age(now - parkedAt(letter))} ago)`],
    ['in this queue since', new Date(letter.sentAt).toISOString()],
    ['receives before', receives === undefined ? undefined : String(receives)],
    ['body', letter.message === undefined ? `${count(letter.bytes, 'byte')}, not shown` : count(letter.bytes, 'byte')],
    ...Object.entries(fields(letter.message)).map(([name, value]) => [`  ${name}`, String(value)]),
  ];
  return alignedTable(rows.flatMap(([name = '', value]) => (value === undefined ? [] : [[name, printable(value)]])));
}

const FIELDS = [
  ...['kind', 'vault', 'namespace', 'mount', 'path', 'route', 'destination', 'origin', 'reason'],
  ...['kv', 'version', 'createdTime', 'auditTime', 'requestId', 'sweepId'],
];

/** What a body of ours may hold, by name: whatever else stands in it is not shown. */
function fields(message: Message | undefined): Readonly<Record<string, unknown>> {
  const all: Readonly<Record<string, unknown>> = { ...message };
  return Object.fromEntries(FIELDS.flatMap((name) => (Object.hasOwn(all, name) ? [[name, all[name]]] : [])));
}

/** A letter as `--json` gives it (docs/errors.md). */
export function letterJson({ id, kind, code, text, ref, receives, time, sentAt, bytes, message }: Letter) {
  const body = message === undefined ? {} : { message: fields(message) };
  return { id, kind, code, text, ref, receives, time, sentAt: new Date(sentAt).toISOString(), bytes, ...body };
}
