import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createChangeReader, type Reading } from '../../src/audit/change.ts';
import { parseEntry } from '../../src/audit/entry.ts';
import { createLineScanner } from '../../src/audit/lines.ts';
import { createMarkerSearch } from '../../src/audit/marker-search.ts';
import { auditMarkers } from '../../src/audit/markers.ts';
import { projectRoot } from '../servers/root.ts';

const SAMPLES = readFileSync(join(projectRoot(), 'test/fixtures/audit-samples.jsonl'));
const LINES = SAMPLES.toString().trimEnd().split('\n');

const root = (mount: string) => ({ namespace: '', mount });
const TEAM_A = { namespace: 'team-a', mount: 'kv' };
const TEAM_A_SUB = { namespace: 'team-a/sub', mount: 'kv' };
const ROUTES = [...['hybrid-aws-secrets', 'kv', 'kv1', 'team/kv', 'tmpkv', 'tmpkv2'].map(root), TEAM_A, TEAM_A_SUB];
const read = createChangeReader({ routes: ROUTES, kvVersion: ({ mount }) => (mount === 'kv1' ? 1 : 2) });

const DEEP = Array.from({ length: 20 }, () => 'deep').join('/');

// Line | namespace:mount | path | version | created_time on 2026-11-24 at 22:03
const CHANGES = `
52|:hybrid-aws-secrets|first-secret-for-aws|1|14.520897846Z
54|:hybrid-aws-secrets|first-secret-for-aws|2|14.524207901Z
56|:hybrid-aws-secrets|db/password|1|14.527316184Z
58|:hybrid-aws-secrets|db/password|2|14.530213403Z
60|:hybrid-aws-secrets|app/one|1|14.53328325Z
62|:hybrid-aws-secrets|app/one|2|14.536924237Z
64|:hybrid-aws-secrets|app/deep/nested/two|1|14.540584003Z
66|:hybrid-aws-secrets|app/deep/nested/two|2|14.543899565Z
68|:hybrid-aws-secrets|uni-ü-é|1|14.547100197Z
70|:hybrid-aws-secrets|uni-ü-é|2|14.551349551Z
72|:hybrid-aws-secrets|with space|1|14.557982389Z
74|:hybrid-aws-secrets|with space|2|14.56734094Z
76|:hybrid-aws-secrets|a+b=c@d|1|14.573744325Z
78|:hybrid-aws-secrets|a+b=c@d|2|14.577290111Z
80|:hybrid-aws-secrets|app/one|3|14.580687656Z
84|:hybrid-aws-secrets|app/one|4|14.586782852Z
86|:hybrid-aws-secrets|not/there
108|:hybrid-aws-secrets|app/one
112|:hybrid-aws-secrets|app/one
114|:hybrid-aws-secrets|app/one
116|:hybrid-aws-secrets|app/one
118|:hybrid-aws-secrets|app/one
120|:hybrid-aws-secrets|app/one
122|:hybrid-aws-secrets|app/one
124|:hybrid-aws-secrets|app/one
126|:hybrid-aws-secrets|app/one
128|:hybrid-aws-secrets|app/one
130|:hybrid-aws-secrets|app/one
132|:hybrid-aws-secrets|app/one|1|14.63538867Z
134|:hybrid-aws-secrets|only-metadata
142|:hybrid-aws-secrets|app/empty|1|14.645144903Z
144|:hybrid-aws-secrets|app/nul|1|14.646720422Z
146|:kv|first-secret-for-aws|1|14.648513956Z
148|:kv|first-secret-for-aws|2|14.650091227Z
150|:kv|db/password|1|14.651737281Z
152|:kv|db/password|2|14.653220652Z
154|:kv|app/one|1|14.654779596Z
156|:kv|app/one|2|14.656216138Z
158|:kv|app/deep/nested/two|1|14.657628092Z
160|:kv|app/deep/nested/two|2|14.659024704Z
162|:kv|uni-ü-é|1|14.660708144Z
164|:kv|uni-ü-é|2|14.66230913Z
166|:kv|with space|1|14.663842967Z
168|:kv|with space|2|14.66536108Z
170|:kv|a+b=c@d|1|14.666958041Z
172|:kv|a+b=c@d|2|14.668405799Z
174|:kv|app/one|3|14.669874158Z
178|:kv|app/one|4|14.67288105Z
180|:kv|not/there
202|:kv|app/one
206|:kv|app/one
208|:kv|app/one
210|:kv|app/one
212|:kv|app/one
214|:kv|app/one
216|:kv|app/one
218|:kv|app/one
220|:kv|app/one
222|:kv|app/one
224|:kv|app/one
226|:kv|app/one|1|14.716165976Z
228|:kv|only-metadata
236|:kv|app/empty|1|14.725512639Z
238|:kv|app/nul|1|14.726937904Z
250|:kv|app/one|2|14.736848327Z
252|:kv|app/one|3|14.738561852Z
254|:kv1|app/one
256|:kv1|app/one
262|:kv1|app/one
266|:kv1|data/looks-like-v2
270|team-a:kv|app/one|1|14.751743992Z
272|team-a:kv|app/one|2|14.753142998Z
276|team-a:kv|app/one
278|team-a:kv|app/one
280|team-a/sub:kv|app/one|1|14.7589137Z
282|team-a/sub:kv|app/one|2|14.76061742Z
286|team-a/sub:kv|app/one
288|team-a/sub:kv|app/one
290|team-a:kv|app/by-path|1|14.766012753Z
292|team-a:kv|app/by-path
310|:tmpkv|a/b|1|14.816019639Z
314|:tmpkv2|a/b|2|15.321916372Z
322|:team/kv|app/one|1|15.359447581Z
326|:team/kv|app/one
334|:kv|app/big|1|15.370647587Z
336|:kv|app/many|1|15.374478377Z
338|:kv|DEEP|1|15.376831195Z
`;

const SWEEPS: Readonly<Record<number, Reading>> = {
  12: { kind: 'sweep', reason: 'mounts', mount: TEAM_A },
  14: { kind: 'sweep', reason: 'mounts', mount: TEAM_A_SUB },
  308: { kind: 'sweep', reason: 'mounts', mount: root('tmpkv') },
  312: { kind: 'sweep', reason: 'remount' },
  316: { kind: 'sweep', reason: 'mounts', mount: root('tmpkv2') },
  318: { kind: 'sweep', reason: 'mounts', mount: root('kv') },
  320: { kind: 'sweep', reason: 'mounts', mount: root('team/kv') },
};

const NOTHING = {
  refused: [48, 82, 140, 176, 234, 240, 242, 244, 246, 248, 268],
  no_change: [136, 230],
  not_kv: [22, 24, 28, 30, 32, 34, 38, 42, 44, 46, 328, 330, 340],
  other_mount: [2, 4, 8, 10, 16, 18, 20, 302],
  read: [
    ...[6, 26, 36, 40, 50, 88, 90, 92, 94, 96, 98, 100, 102, 104, 106, 110, 138, 182, 184, 186, 188, 190, 192, 194],
    ...[196, 198, 200, 204, 232, 258, 260, 264, 274, 284, 294, 296, 298, 300, 304, 306, 324, 332, 342],
  ],
} as const;

/** Of the changes, those that purge a secret. */
const PURGES = [130, 224, 278, 288, 292, 326];

interface Spoken {
  readonly time: string;
  readonly request: { readonly id: string };
}

function changeOf(row: string): [number, Reading] {
  const [line = '', mount = '', path = '', version, seconds] = row.split('|');
  const [namespace = '', name = ''] = mount.split(':');
  const { time, request } = JSON.parse(LINES[Number(line) - 1] ?? '') as Spoken;
  const made = version === undefined ? {} : { version: Number(version), createdTime: `2026-11-24T22:03:${seconds}` };
  const purge = PURGES.includes(Number(line)) ? ({ purge: true } as const) : {};
  const hints = { ...made, auditTime: time, requestId: request.id, ...purge };
  const ref = { namespace, mount: name, path: path === 'DEEP' ? DEEP : path };
  return [Number(line), { kind: 'change', ref, kv: name === 'kv1' ? 1 : 2, hints }];
}

const EXPECTED = new Map<number, Reading>([
  ...LINES.map((_, index): [number, Reading] => [index + 1, { kind: 'nothing', why: 'request' }]),
  ...Object.entries(NOTHING).flatMap(([why, lines]) =>
    lines.map((line): [number, Reading] => [line, { kind: 'nothing', why: why as keyof typeof NOTHING }]),
  ),
  ...Object.entries(SWEEPS).map(([line, sweep]): [number, Reading] => [Number(line), sweep]),
  ...CHANGES.trim().split('\n').map(changeOf),
]);

t.test('each line of a real OpenBao reads as what was done', async (t) => {
  t.equal(LINES.length, 342);
  LINES.forEach((line, index) => {
    const entry = parseEntry(Buffer.from(line));
    t.strictSame(entry && read(entry), EXPECTED.get(index + 1), `line ${index + 1}`);
  });
});

t.test('no line of a device without log_raw is taken for raw', async (t) => {
  t.strictSame(
    LINES.filter((line) => parseEntry(Buffer.from(line))?.rawValues !== false),
    [],
  );
});

t.test('the scanner hands over each line that means something, and no request entry', async (t) => {
  const handed: string[] = [];
  const scanner = createLineScanner({
    search: createMarkerSearch(auditMarkers(ROUTES)),
    maxLineBytes: 1024 * 1024,
    onLine: (line) => handed.push(line.toString()),
    onSkipped: () => t.fail('none is too long'),
  });
  scanner.push(SAMPLES);
  scanner.end();
  const wanted = LINES.filter((_, index) => EXPECTED.get(index + 1)?.kind !== 'nothing');
  t.strictSame(
    wanted.filter((line) => !handed.includes(line)),
    [],
  );
  t.notOk(handed.some((line) => line.includes('"type":"request"')));
  t.match(scanner.counts, { lines: 342, bytes: SAMPLES.length, skipped: 0 });
});
