import { encodePath, type OpenBaoApi } from '../servers/openbao-api.ts';
import type { Copy } from './aws.ts';

export interface Ref {
  readonly namespace?: string;
  readonly mount: string;
  readonly path: string;
}

/** A ref, or the path of one in the mount `kv`. */
export const refOf = (ref: Ref | string): Ref => (typeof ref === 'string' ? { mount: 'kv', path: ref } : ref);

/** The name that the default template `{mount}/{path}` gives, by the words of INTERFACE.md and DESIGN.md. */
export const nameOf = ({ mount, path }: Ref): string =>
  [...Buffer.from(`${mount}/${path}`)]
    .map((byte) => [byte, String.fromCharCode(byte)] as const)
    .map(([byte, character]) => (/[A-Za-z0-9/_+.@-]/.test(character) ? character : `=${hex(byte)}`))
    .join('');

const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, '0');

/** What OpenBao says of a secret that is there. */
export interface Source {
  /** The JSON text of the secret's object, in OpenBao's own spelling but for its escapes of `<`, `>` and `&`. */
  readonly value: string;
  readonly version: number;
  /** The beginning of the version id that names this version: `v3-20261124T214057235646616Z-`. */
  readonly idBegins: string;
}

const ANSWER = /"data":\{"data":(.*),"metadata":\{"created_time":"([^"]+)".*?"version":(\d+)\}\}/s;

/** Undefined where OpenBao has no such secret, or only a deleted or destroyed version. */
export async function readSource(bao: OpenBaoApi, { namespace = '', mount, path }: Ref): Promise<Source | undefined> {
  const url = `${encodePath(mount)}/data/${encodePath(path)}`;
  const { status, text } = await bao.request('GET', url, undefined, { namespace });
  if (status === 404) return undefined;
  const [, value = '', createdTime = '', version = ''] = ANSWER.exec(text) ?? [];
  if (status !== 200 || version === '') throw new Error(`OpenBao answered ${status} to a read of ${mount}/${path}`);
  return {
    value: value.replace(/(?<!\\)((?:\\\\)*)\\u00(3c|3e|26)/g, (_, before: string, code: string) => {
      return before + String.fromCharCode(Number.parseInt(code, 16));
    }),
    version: Number(version),
    idBegins: `v${version}-${compact(createdTime)}-`,
  };
}

/** `2026-11-24T21:40:57.2356Z` as `20261124T214057235600000Z`. */
function compact(createdTime: string): string {
  const [seconds = '', fraction = ''] = createdTime.replace('Z', '').split('.');
  return `${seconds.replace(/[-:]/g, '')}${fraction.padEnd(9, '0')}Z`;
}

export const isEqual = (source: Source | undefined, copy: Copy | undefined): boolean =>
  source !== undefined &&
  copy?.value === source.value &&
  copy.versionId?.startsWith(source.idBegins) === true &&
  copy.tags['version'] === String(source.version) &&
  copy.tags['vaultferry:absent'] === undefined;
