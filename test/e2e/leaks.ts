import type { Aws } from './aws.ts';
import type { Canaries } from './canaries.ts';
import type { Ferries } from './ferries.ts';
import type { Recorder } from './recorder.ts';

export interface Searched {
  readonly canaries: Canaries;
  readonly ferries: Pick<Ferries, 'said'>;
  readonly recorder: Pick<Recorder, 'calls'>;
  readonly aws: Pick<Aws, 'names' | 'copy' | 'letters'>;
}

/**
 * Where a canary stands that should not: in what any VaultFerry logged, printed or answered, in anything it told AWS
 * but SecretString (message bodies, attributes, group and dedup ids, tags, descriptions, version ids), in a letter,
 * or beside the value in Secrets Manager. Tells spelling and place, never the text.
 */
export async function findLeaks({ canaries, ferries, recorder, aws }: Searched): Promise<string[]> {
  const letters = await aws.letters();
  const names = await aws.names();
  const copies = await Promise.all(names.map((name) => aws.copy(name)));
  const places: readonly (readonly [string, readonly string[]])[] = [
    ['said by VaultFerry', ferries.said()],
    ['told to AWS', recorder.calls.map(({ text }) => text)],
    ['letters', letters.map((letter) => JSON.stringify(letter))],
    ['secrets', [...names, ...copies.map((copy) => JSON.stringify({ ...copy, value: '' }))]],
  ];
  const leaks = places.flatMap(([place, texts]) =>
    texts.flatMap((text) => canaries.spellingsIn(text).map((spelling) => `${place}: ${spelling}`)),
  );
  return [...new Set(leaks)];
}
