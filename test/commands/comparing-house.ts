import type { ComparedEnd } from '../../src/commands/compare-ends.ts';
import { planCommand } from '../../src/commands/plan.ts';
import { sweepCommand } from '../../src/commands/sweep.ts';
import { lookAtBoth } from '../../src/replicate/look-at.ts';
import { house, type Settings, VAULT } from '../sweep/house.ts';

export interface Options {
  readonly deep?: boolean;
  readonly all?: boolean;
  readonly json?: boolean;
  readonly columns?: number;
  readonly coloured?: boolean;
}

/** The sweep's house, with the commands that compare both ends. */
export function comparingHouse(settings: Settings = {}) {
  const world = house(settings);
  const { clock, source, ends, options, queue, ending } = world;
  const own = { vault: VAULT, tags: { team: 'a' }, versionTag: true, clock, fresh: () => '1'.repeat(24) };
  const compared = new Map<string, ComparedEnd>(
    [...options.destinations].map(([name, { deletion, ...swept }]) => {
      const destination = ends[name as 'eu' | 'us'];
      const look: ComparedEnd['look'] = (order) => lookAtBoth({ ...own, source, destination }, order);
      const deleting = deletion === undefined ? {} : { deletion: deletion.settings };
      return [name, { ...swept, ...deleting, look, value: destination.value }];
    }),
  );
  const out: string[] = [];
  const errors: string[] = [];
  const shown: string[] = [];
  const meter = {
    listed: (copies: number) => void shown.push(`listed ${copies}`),
    compared: () => void shown.push('compared'),
    crowded: (messages: number) => void shown.push(`crowded ${messages}`),
    end: () => void shown.push('end'),
  };
  const command = {
    ...{ vault: VAULT, source, routes: options.routes, ends: compared, clock, meter, signal: ending.signal },
    write: (text: string) => void out.push(text),
    writeError: (text: string) => void errors.push(text),
  };
  const ran = async (run: () => Promise<number>) => {
    const code = await run();
    const text = out.splice(0).join('');
    return { code, text, errors: errors.splice(0) };
  };
  const asJson = async (run: () => Promise<number>) => {
    const { code, text, errors: said } = await ran(run);
    return { code, json: JSON.parse(text), errors: said };
  };
  const lineOf = ({ deep = false, all = false, coloured = false, columns }: Options) => ({
    ...{ deep, all },
    view: { coloured, ...(columns !== undefined && { columns }) },
  });
  const plan = (more: Options, json: boolean) => planCommand({ ...command, ...lineOf(more), json });
  const swept = (more: Options, json: boolean) =>
    sweepCommand({ ...command, ...lineOf(more), json, publisher: queue.publisher, depth: queue.inbox.depth });
  return {
    ...world,
    ...{ command, compared, shown, ran, asJson },
    plan: (more: Options = {}) => asJson(() => plan(more, true)),
    planText: (more: Options = {}) => ran(() => plan(more, false)),
    sweep: (more: Options = {}) => asJson(() => swept(more, true)),
    sweepText: (more: Options = {}) => ran(() => swept(more, false)),
  };
}
