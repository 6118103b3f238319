import { setTimeout as delay } from 'node:timers/promises';
import type { Aws } from './aws.ts';

/** Between two looks at a secret, in ms: far less than a version stays, and no load that slows the workers down. */
const PAUSE = 3;

/** Version ids that stood at AWSCURRENT, as they were seen one after the other. */
export interface History {
  /** Ids by name, in order, without repetitions. */
  readonly seen: ReadonlyMap<string, readonly string[]>;
  readonly looks: number;
}

/** Reads the version at AWSCURRENT of each name again and again until the signal aborts. */
export async function watchHistory(
  { versionId }: Pick<Aws, 'versionId'>,
  names: readonly string[],
  signal: AbortSignal,
): Promise<History> {
  const seen = new Map<string, string[]>(names.map((name) => [name, []]));
  let looks = 0;
  const watch = async (name: string, ids: string[]) => {
    while (!signal.aborted) {
      const id = await versionId(name);
      looks += 1;
      if (id !== undefined && ids.at(-1) !== id) ids.push(id);
      await delay(PAUSE);
    }
  };
  await Promise.all([...seen].map(([name, ids]) => watch(name, ids)));
  return { seen, looks };
}

/** Neighbours of which the later one names an older version: by created_time, then by number. */
export function stepsBack(ids: readonly string[]): string[] {
  const moments = ids.map((id) => {
    const [, version = '', time = ''] = /^v(\d+)-(\d{8}T\d{15}Z)-/.exec(id) ?? [];
    return `${time} ${version.padStart(10, '0')}`;
  });
  return ids.flatMap((id, index) =>
    (moments[index] ?? '') < (moments[index - 1] ?? '') ? [`${ids[index - 1]} ${id}`] : [],
  );
}
