import t from 'tap';
import { HELP } from '../src/help.ts';

t.test('each command that takes --json says what that gives, and each says its exit codes', async (t) => {
  for (const [command, text] of Object.entries(HELP)) {
    const usage = text.slice(0, text.indexOf('\n\n'));
    if (usage.includes('--json')) t.match(text, /^--json gives /m, command);
    t.match(text, /^Exit codes: /m, command);
    for (const line of text.split('\n')) t.ok(line.length <= 125, `${command}: ${line}`);
  }
});

t.test('the keys of status and replicate stand in their help', async (t) => {
  const secret = ['ref', 'destination', 'secretName', 'inSync', 'state', 'vaultVersion', 'replicatedVersion', 'since'];
  for (const key of [...secret, 'code', 'why', 'secrets', 'problems']) t.ok(HELP['status']?.includes(`"${key}"`), key);
  for (const key of ['queued', 'ref', 'destination', 'secretName']) t.ok(HELP['replicate']?.includes(`"${key}"`), key);
});
