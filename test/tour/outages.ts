import { duration } from '../demo/terminal.ts';
import { until } from '../servers/until.ts';
import { containers } from './compose.ts';
import type { Say, Step } from './step.ts';
import { PORTS, type Tour } from './tour.ts';
import { carried, demand, put } from './watch.ts';

/** What goes on while a part is away. */
export const OUTAGES: readonly Step[] = [
  { name: 'no ingress', run: noIngress },
  { name: 'ingress back', run: ingressBack },
  { name: 'one worker', run: oneWorker },
];

const pathOf = ({ run }: Tour): string => `app/db-${run}`;

/** The sweep begins every minute and may take a few seconds. */
const SWEEP_WITHIN = 75_000;

/** SIGTERM, 20 s of which it may use, and the exit code 0. */
async function stop({ compose }: Tour, say: Say, service: string): Promise<void> {
  say(`$ docker compose stop ${service}`);
  const began = performance.now();
  await compose(['stop', service]);
  const took = performance.now() - began;
  const code = (await containers(compose)).find(({ Service }) => Service === service)?.ExitCode;
  demand(code === 0 && took < 20_000, `${service} ended with ${code} after ${duration(took)}`);
  say(`ended with 0 after ${duration(took)}`);
}

async function start({ compose }: Tour, say: Say, service: 'ingress' | 'worker-1'): Promise<void> {
  say(`$ docker compose start ${service}`);
  await compose(['start', service]);
  const ready = async () => (await fetch(`http://127.0.0.1:${PORTS[service]}/readyz`)).ok;
  await until(ready, { what: `${service} to be ready`, deadline: 20_000, interval: 100 });
}

async function noIngress(tour: Tour, say: Say): Promise<string> {
  await stop(tour, say, 'ingress');
  await put(tour, say, pathOf(tour), 'gannet-6630');
  say('the server goes on with its other audit device; nobody told VaultFerry. The next sweep begins within a minute…');
  const seen = await carried(tour, pathOf(tour), 3, 'gannet-6630', SWEEP_WITHIN);
  const ingress = (await containers(tour.compose)).find(({ Service }) => Service === 'ingress');
  demand(ingress?.State !== 'running', 'the ingress came back by itself');
  return `repaired by the sweep after ${seen}`;
}

async function ingressBack(tour: Tour, say: Say): Promise<string> {
  await start(tour, say, 'ingress');
  await put(tour, say, pathOf(tour), 'fulmar-7724');
  return carried(tour, pathOf(tour), 4, 'fulmar-7724');
}

async function oneWorker(tour: Tour, say: Say): Promise<string> {
  await stop(tour, say, 'worker-1');
  await put(tour, say, pathOf(tour), 'eider-3391');
  const seen = await carried(tour, pathOf(tour), 5, 'eider-3391');
  await start(tour, say, 'worker-1');
  return `by the other worker after ${seen}`;
}
