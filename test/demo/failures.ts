import { isDeepStrictEqual } from 'node:util';
import { CreateSecretCommand, DeleteSecretCommand } from '@aws-sdk/client-secrets-manager';
import { type Corridor, MOUNT } from './corridor.ts';
import type { Shown, Step } from './step.ts';
import { VALUES } from './values.ts';
import { letterOf, ran } from './vaultferry-command.ts';
import { carried, current, demandNone, logged } from './watch.ts';

const CHAIN = `${MOUNT}/app/chain`;
/** 70,000 bytes; Secrets Manager takes 65,536. */
const TOO_LARGE = { pem: VALUES.large.repeat(7_000) };
const SMALL = { pem: VALUES.small };

const API = `${MOUNT}/app/api`;
const OURS = { key: VALUES.ours };
const FOREIGN = { key: VALUES.foreign };

/** Two changes that cannot be carried, what becomes of them, and how a person mends them. */
export const FAILURES: readonly Step[] = [
  { name: 'too large', command: `bao kv put ${CHAIN} pem=…  # 70,000 bytes`, run: tooLarge },
  { name: 'name taken', command: `bao kv put ${API} key=…  # somebody made that name in AWS`, run: nameTaken },
  { name: 'letters', command: 'vaultferry dlq list', run: letters },
  {
    name: 'smaller',
    command: `bao kv put ${CHAIN} pem=…  # as the advice says`,
    run: async (corridor) => {
      await corridor.bao.put(MOUNT, 'app/chain', SMALL);
      return carried(corridor, CHAIN, 2, SMALL, 'copy created, equal');
    },
  },
  {
    name: 'redrive',
    command: `aws secretsmanager delete-secret --force-delete-without-recovery --secret-id ${API}`,
    run: redrive,
  },
  { name: 'status', command: 'vaultferry status', run: status },
];

async function tooLarge(corridor: Corridor): Promise<Shown> {
  await corridor.bao.put(MOUNT, 'app/chain', TOO_LARGE);
  const lag = await logged(corridor, { event: 'secret.parked', ref: CHAIN, code: 'value_too_large' });
  await demandNone(corridor, CHAIN);
  return { lag, outcome: 'letter: value_too_large', seen: 'in the dead-letter queue, and nothing in Secrets Manager' };
}

async function nameTaken(corridor: Corridor): Promise<Shown> {
  await corridor.secrets.send(new CreateSecretCommand({ Name: API, SecretString: JSON.stringify(FOREIGN) }));
  await corridor.bao.put(MOUNT, 'app/api', OURS);
  const lag = await logged(corridor, { event: 'secret.parked', ref: API, code: 'not_owned' });
  const { value } = await current(corridor, API);
  if (!isDeepStrictEqual(value, FOREIGN)) throw new Error('the foreign secret was touched');
  return { lag, outcome: 'letter: not_owned', seen: 'in the dead-letter queue, and the foreign secret untouched' };
}

/** `dlq list` as it is, and of `dlq show` what one letter means and what to do. */
async function letters(corridor: Corridor, say: (line: string) => void): Promise<Shown> {
  const began = performance.now();
  const list = await ran(corridor, ['dlq', 'list'], 3);
  const lag = performance.now() - began;
  for (const line of list.slice(0, list.indexOf(''))) say(line);
  letterOf(list, API, 'not_owned');
  const id = letterOf(list, CHAIN, 'value_too_large');
  say(`$ vaultferry dlq show ${id}`);
  const advice = (await ran(corridor, ['dlq', 'show', id], 0)).filter((line) => /^(?:means|do) /.test(line));
  if (advice.length !== 2) throw new Error('dlq show gave no advice');
  for (const line of advice) say(line.replace(/^\w+ +/, (name) => name.trimEnd().padEnd(7)));
  return { lag, outcome: '2 letters, told why', seen: 'each says why, and what to do' };
}

/** Sends both letters' messages back: the one is carried now, the other finds its secret carried already. */
async function redrive(corridor: Corridor, say: (line: string) => void): Promise<Shown> {
  await corridor.secrets.send(new DeleteSecretCommand({ SecretId: API, ForceDeleteWithoutRecovery: true }));
  say('$ vaultferry dlq redrive --all --yes');
  const began = performance.now();
  for (const line of await ran(corridor, ['dlq', 'redrive', '--all', '--yes'], 0)) say(line);
  const shown = await carried(corridor, API, 1, OURS, 'copy created, equal; DLQ empty');
  const lag = performance.now() - began;
  await logged(corridor, { event: 'secret.kept', ref: CHAIN });
  say(`${CHAIN} needed nothing more: its smaller version was there`);
  say('$ vaultferry dlq list');
  for (const line of await ran(corridor, ['dlq', 'list'], 0)) say(line);
  return { ...shown, lag };
}

async function status(corridor: Corridor, say: (line: string) => void): Promise<Shown> {
  const began = performance.now();
  const lines = await ran(corridor, ['status'], 0);
  const lag = performance.now() - began;
  for (const line of lines) if (line !== '') say(line);
  const sum = lines.at(-1) ?? '';
  if (!/^3 of 3 secrets in sync$/.test(sum)) throw new Error(`status says: ${sum}`);
  return { lag, outcome: sum, seen: 'both ends compared, neither touched' };
}
