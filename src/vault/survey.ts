import { pMapIterable } from 'p-map';
import { ReplicationError } from '../errors.ts';
import { formatMount, formatRef, type MountRef } from '../replicate/ref.ts';
import type { Hidden, Mount, PresentUnread, Source, Surveyed } from '../replicate/source.ts';
import { absence, at, json } from './answer.ts';
import { forbidden, policyLine, type Reader } from './ask.ts';
import { hidden, type OnHidden } from './list.ts';
import { currentVersion } from './metadata.ts';
import { detailedPath, metadataPath } from './path.ts';
import { createPatience, isOutage, type Patience } from './patience.ts';

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
  readonly entry: (mount: MountRef) => Promise<Mount>;
  /** All paths of the mount, by plain LISTs. */
  readonly list: (mount: MountRef, onHidden: OnHidden) => AsyncIterable<string>;
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
    const mount = await ports.entry(ref);
    const found: Hidden[] = [];
    const onHidden: OnHidden = (folder, error) => {
      if (!found.some((known) => known.folder === folder)) found.push({ what: 'folder', folder, error });
    };
    const onUnread = (error: ReplicationError) => void found.push({ what: 'metadata', folder: '', error });
    const survey = { ...ports, ref, wanted, onHidden, onUnread };
    return { mount, hidden: found, secrets: secretsOf(survey, mount, offerOf(ref)) };
  };
}

/** One survey of one mount of KV v2. */
interface Surveying extends SurveyPorts {
  readonly ref: MountRef;
  readonly mount: PresentUnread['mount'];
  readonly wanted: (path: string) => boolean;
  readonly onHidden: OnHidden;
  /** Told once, of the metadata of secrets that the policy does not show. */
  readonly onUnread: (error: ReplicationError) => void;
}

async function* secretsOf(survey: Omit<Surveying, 'mount'>, mount: Mount, offer: Offer): AsyncGenerator<Surveyed> {
  const { ref, wanted, list, entry, onHidden } = survey;
  if (mount.kv === 2) yield* metadataOf({ ...survey, mount }, offer);
  else for await (const path of list(ref, onHidden)) if (wanted(path)) yield { path };
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
  const paths = survey.list(survey.ref, survey.onHidden);
  const patience = createPatience(() => survey.onUnread(unread(survey.ref)));
  const rows = pMapIterable(paths, (path) => metadataOfOne(survey, path, patience), {
    concurrency: SIDE_BY_SIDE,
  });
  for await (const row of rows) if (row !== undefined) yield row;
}

/** Undefined for a secret that has been purged since it was listed. */
async function metadataOfOne(survey: Surveying, path: string, patience: Patience): Promise<Row | undefined> {
  const { reader, ref, wanted } = survey;
  if (!wanted(path)) return { path, wanted: false };
  if (patience.isHidden()) return { path, wanted: true };
  const what = `the metadata of ${formatRef({ ...ref, path })}`;
  const ask = async () => reader.get(ref.namespace, metadataPath({ ...ref, path }), what); // a path may be no path at all
  const answer = await ask().catch(unlessTooLarge);
  if (answer !== undefined && !patience.goesOn(answer.status)) throw noAnswer(answer.status, what);
  const body = answer && json(answer);
  if (answer?.status === 404 && absence(body)?.why === 'purged') return undefined;
  // What a policy does not show, or one secret's trouble, must be looked at, and keeps no other waiting.
  return answer?.status === 200 ? rowOf(survey, path, at(body, 'data')) : { path, wanted: true };
}

function unlessTooLarge(error: unknown): undefined {
  if (error instanceof ReplicationError && error.treatment === 'permanent') return undefined;
  throw error;
}

const noAnswer = (status: number, what: string) =>
  new ReplicationError(
    'source_unavailable',
    `Vault answered ${status} for ${what}, which proves nothing${status === 429 ? TOO_FAST : ''}`,
  );

const TOO_FAST = '; where that goes on, lower sweep.vaultRequestsPerSecond';

const unread = (ref: MountRef) =>
  forbidden(ref.namespace, `metadata of secrets in ${formatMount(ref)}`, policyLine(ref, 'metadata/*', 'read'));

function rowOf({ mount, now, wanted }: Surveying, path: string, metadata: unknown): Row {
  const state = currentVersion(metadata, mount, now());
  return { path, wanted: wanted(path), ...(state !== undefined && { state }) };
}

/** OpenBao: a tree at once where that is small, else page by page, folder by folder. Nothing where it is not offered. */
async function* detailed(survey: Surveying, offer: Offer): AsyncGenerator<Row> {
  const whole = offer.scan ? await scan(survey, offer) : undefined;
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const below = folder;
    for await (const { keys, infoOf } of whole === undefined ? pages(survey, below) : [whole]) {
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

/** The whole mount; a scan's keys are secrets alone. What is too much, or not offered, is not asked for again. */
async function scan({ reader, ref }: Surveying, offer: Offer): Promise<Page | undefined> {
  const path = `${detailedPath(ref, '')}?scan=true`;
  const answer = await reader
    .get(ref.namespace, path, `the scan of ${formatMount(ref)}`, MAX_SCAN_BYTES)
    .catch((error: unknown) => {
      if (error instanceof ReplicationError) return error; // too large, or too slow: pages will do
      throw error;
    });
  if (answer instanceof ReplicationError) {
    offer.scan = answer.code !== 'value_too_large';
    return undefined;
  }
  const page = answer.status === 200 ? pageOf(json(answer)) : undefined;
  offer.scan = page !== undefined || isOutage(answer.status);
  return page;
}

async function* pages(survey: Surveying, folder: string): AsyncGenerator<Page> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: Page | undefined = await pageAfter(survey, folder, after).catch(
      nothing(hidden(folder, survey.onHidden)),
    );
    const last: string | undefined = page?.keys.at(-1);
    if (page === undefined || (after !== '' && last === after)) return; // a server without pages answers the same again
    yield page;
    after = page.keys.length === PAGE ? last : undefined; // a server without pages answers all, or more
  }
}

const nothing = (note: (error: unknown) => unknown) => (error: unknown) => {
  note(error);
  return undefined;
};

/** Nothing where the folder is empty, or where the mount's first page shows that there is no such listing. */
async function pageAfter({ reader, ref }: Surveying, folder: string, after: string): Promise<Page | undefined> {
  const what = `the list of ${formatMount(ref)}/${folder}`;
  const path = `${detailedPath(ref, folder)}?list=true&limit=${PAGE}&after=${encodeURIComponent(after)}`;
  const answer = await reader.get(ref.namespace, path, what, MAX_PAGE_BYTES);
  const body = json(answer);
  if (answer.status === 404 && absence(body)?.why === 'purged') return undefined;
  const page = answer.status === 200 ? pageOf(body) : undefined;
  const notOffered = folder === '' && after === '' && !isOutage(answer.status);
  if (page !== undefined || notOffered) return page;
  if (answer.status !== 403) throw noAnswer(answer.status, what);
  throw forbidden(ref.namespace, what, policyLine(ref, `detailed-metadata/${folder}*`, 'list'));
}

function pageOf(body: unknown): Page | undefined {
  const keys = at(body, 'data', 'keys');
  const info = at(body, 'data', 'key_info');
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) return undefined;
  return typeof info === 'object' && info !== null ? { keys, infoOf: (key) => at(info, key) } : undefined;
}
