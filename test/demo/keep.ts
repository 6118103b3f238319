import { join } from 'node:path';
import { projectRoot } from '../servers/root.ts';
import { type Corridor, configPath, headerPath, MOUNT } from './corridor.ts';
import { SECRET } from './steps.ts';

/** Commands for another terminal, as lines. */
export function commandsToTry({ folder, bao, roto, ferry }: Corridor): string[] {
  const { stderrPath, ready } = ferry();
  const cli = quoted(join(projectRoot(), 'build/src/cli.js'));
  const curl = `curl -s -H @${quoted(headerPath(folder))}`;
  const variables = Object.entries({ ...roto.env, VAULTFERRY_CONFIG: configPath(folder) });
  return [
    'For the commands below, in another terminal:',
    ...variables.map(([name, value]) => `  export ${name}=${quoted(value)}`),
    '',
    "Write, read and delete in OpenBao (curl takes the root token's header from a file):",
    `  ${curl} ${bao.address}/v1/${MOUNT}/data/app/api -d '{"data":{"key":"my-own-value"}}'`,
    `  ${curl} ${bao.address}/v1/${SECRET.replace('/', '/data/')}`,
    `  ${curl} -X DELETE ${bao.address}/v1/${MOUNT}/data/app/api`,
    '',
    'See the copies:',
    '  aws secretsmanager list-secrets --query "SecretList[].Name"',
    `  aws secretsmanager describe-secret --secret-id ${SECRET}`,
    `  aws secretsmanager get-secret-value --version-stage AWSCURRENT --secret-id ${SECRET}`,
    '',
    'Ask for a look at one secret, see how all stand, the letters, the configuration, the log, health and metrics:',
    `  node ${cli} replicate ${SECRET}`,
    `  node ${cli} status`,
    `  node ${cli} dlq list`,
    `  node ${cli} config print`,
    `  tail -f ${quoted(stderrPath)}`,
    `  curl -s ${ready['admin']}/readyz; curl -s ${ready['admin']}/metrics`,
  ];
}

/** For a shell, where it needs quotes. */
const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
