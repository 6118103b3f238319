import { pMapIterable } from 'p-map';
import { ReplicationError } from '../errors.ts';
import { formatMount, formatRef, type MountRef } from '../replicate/ref.ts';
import type { Mount, PresentUnread, Source, Surveyed } from '../replicate/source.ts';
import { absence, at, json } from './answer.ts';
import type { Reader } from './ask.ts';
import { currentVersion } from './metadata.ts';
import { detailedPath, metadataPath } from './path.ts';

/** Secrets of one page of OpenBao's detailed listing: some 500 KiB where each has a few versions. */
const PAGE = 500;
/** A scan of more than this is not read on: pages are taken instead. Some thousand secrets. */
const MAX_SCAN_BYTES = 4 * 1024 * 1024;
/** The same of a page, whose secrets may each have many versions. */
const MAX_PAGE_BYTES = 32 * 1024 * 1024;
/** Secrets of Vault's whose metadata is asked for side by side. */
const SIDE_BY_SIDE = 16;

export interface SurveyPorts {
  readonly reader: Pick<Reader, 'get'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Awaited before each request. */
  readonly pace: () => Promise<void>;
  readonly entry: (mount: MountRef) => Promise<Mount>;
  /** All paths of the mount, by plain LISTs. */
  readonly list: (mount: MountRef) => AsyncIterable<string>;
}

/** What a mount has to offer beside plain LISTs, found out by asking; kept for the life of the process. */
interface Offer {
  /** OpenBao's detailed listing: metadata by the page. */
  detailed: boolean;
  /** OpenBao's scan: a whole tree in one answer, which knows no pages. */
  scan: boolean;
}

/**
 * Every secret of a mount with what its metadata says, no value read. OpenBao answers metadata by the page or the whole
 * tree; Vault is asked for each secret's.
 */
export function createSurvey(ports: SurveyPorts): Source['survey'] {
  const offers = new Map<string, Offer>();
  const offerOf = (mount: MountRef): Offer => {
    const key = formatMount(mount);
    const offer = offers.get(key) ?? { detailed: true, scan: true };
    offers.set(key, offer);
    return offer;
  };
  return async (ref, wanted) => {
    await ports.pace();
    const mount = await ports.entry(ref);
    return { mount, secrets: secretsOf({ ...ports, ref, wanted }, mount, offerOf(ref)) };
  };
}

/** One survey of one mount of KV v2. */
interface Surveying extends SurveyPorts {
  readonly ref: MountRef;
  readonly mount: PresentUnread['mount'];
  readonly wanted: (path: string) => boolean;
}

async function* secretsOf(survey: Omit<Surveying, 'mount'>, mount: Mount, offer: Offer): AsyncGenerator<Surveyed> {
  const { ref, wanted, list, pace, entry } = survey;
  if (mount.kv === 2) yield* metadataOf({ ...survey, mount }, offer);
  else for await (const path of list(ref)) if (wanted(path)) yield { path };
  await pace();
  const after = await entry(ref);
  if (after.accessor !== mount.accessor || after.kv !== mount.kv) throw replaced(ref);
}

const replaced = (ref: MountRef) =>
  new ReplicationError(
    'source_unavailable',
    `the mount ${formatMount(ref)} was replaced while it was listed; list it again`,
  );

async function* metadataOf(survey: Surveying, offer: Offer): AsyncGenerator<Surveyed> {
  // An empty mount and a server that has no detailed listing answer alike, so the plain way follows where nothing came.
  for (const way of offer.detailed ? [detailed, plain] : [plain]) {
    let some = false;
    for await (const { path, state, wanted } of way(survey, offer)) {
      some = true;
      if (wanted) yield { path, ...(state !== undefined && { state }) };
    }
    if (some && way === plain) offer.detailed = false;
    if (some) return;
  }
}

interface Row extends Surveyed {
  readonly wanted: boolean;
}

/** Vault: a request for each secret. */
async function* plain(survey: Surveying): AsyncGenerator<Row> {
  const rows = pMapIterable(survey.list(survey.ref), (path) => metadataOfOne(survey, path), {
    concurrency: SIDE_BY_SIDE,
  });
  for await (const row of rows) if (row !== undefined) yield row;
}

/** Undefined for a secret that has been purged since it was listed. */
async function metadataOfOne(survey: Surveying, path: string): Promise<Row | undefined> {
  const { reader, pace, ref, wanted } = survey;
  if (!wanted(path)) return { path, wanted: false };
  const what = `the metadata of ${formatRef({ ...ref, path })}`;
  await pace();
  const answer = await reader.get(ref.namespace, metadataPath({ ...ref, path }), what);
  if (answer.status === 403) return { path, wanted: true }; // what a policy does not show must be looked at
  const body = json(answer);
  if (answer.status === 404 && absence(body)?.why === 'purged') return undefined;
  if (answer.status !== 200) throw noAnswer(answer.status, what);
  return rowOf(survey, path, at(body, 'data'));
}

const noAnswer = (status: number, what: string) =>
  new ReplicationError('source_unavailable', `Vault answered ${status} for ${what}, which proves nothing`);

function rowOf({ mount, now, wanted }: Surveying, path: string, metadata: unknown): Row {
  const state = currentVersion(metadata, mount, now());
  return { path, wanted: wanted(path), ...(state !== undefined && { state }) };
}

/** OpenBao: a tree at once where that is small, else page by page, folder by folder. Nothing where it is not offered. */
async function* detailed(survey: Surveying, offer: Offer): AsyncGenerator<Row> {
  const whole = offer.scan ? await scan(survey) : undefined;
  offer.scan = whole !== undefined; // too much, or not offered: nor is it next time
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const below = folder;
    for await (const { keys, infoOf } of whole === undefined ? pages(survey, folder) : [whole]) {
      folders.push(...keys.filter((key) => key.endsWith('/')).map((key) => below + key));
      const secrets = keys.filter((key) => !key.endsWith('/'));
      yield* secrets.map((key) => rowOf(survey, below + key, infoOf(key)));
    }
  }
}

interface Page {
  /** Below the folder; those that end in "/" are folders. */
  readonly keys: readonly string[];
  readonly infoOf: (key: string) => unknown;
}

/** The whole mount; a scan's keys are secrets alone. */
async function scan({ reader, pace, ref }: Surveying): Promise<Page | undefined> {
  await pace();
  const path = `${detailedPath(ref, '')}?scan=true`;
  const answer = await reader
    .get(ref.namespace, path, `the scan of ${formatMount(ref)}`, MAX_SCAN_BYTES)
    .catch(tooMuch);
  return answer?.status === 200 ? pageOf(json(answer)) : undefined;
}

/** It is no failure that a tree is too large to be had at once, or takes too long. */
function tooMuch(error: unknown): undefined {
  if (error instanceof ReplicationError) return undefined;
  throw error;
}

async function* pages(survey: Surveying, folder: string): AsyncGenerator<Page> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page = await pageAfter(survey, folder, after);
    const last = page?.keys.at(-1);
    if (page === undefined || (after !== '' && last === after)) return; // a server without pages answers the same again
    yield page;
    after = page.keys.length === PAGE ? last : undefined; // a server without pages answers all, or more
  }
}

/** Nothing where the folder is empty, or where the mount's first page shows that there is no such listing. */
async function pageAfter({ reader, pace, ref }: Surveying, folder: string, after: string): Promise<Page | undefined> {
  await pace();
  const what = `the list of ${formatMount(ref)}/${folder}`;
  const path = `${detailedPath(ref, folder)}?list=true&limit=${PAGE}&after=${encodeURIComponent(after)}`;
  const answer = await reader.get(ref.namespace, path, what, MAX_PAGE_BYTES);
  const body = json(answer);
  if (answer.status === 404 && absence(body)?.why === 'purged') return undefined;
  const page = answer.status === 200 ? pageOf(body) : undefined;
  const notOffered = folder === '' && after === '' && answer.status !== 500 && answer.status !== 503;
  if (page === undefined && !notOffered) throw noAnswer(answer.status, what);
  return page;
}

function pageOf(body: unknown): Page | undefined {
  const keys = at(body, 'data', 'keys');
  const info = at(body, 'data', 'key_info');
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) return undefined;
  return typeof info === 'object' && info !== null ? { keys, infoOf: (key) => at(info, key) } : undefined;
}
