import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import t, { type Test } from 'tap';
import { connectionSecret } from '../../src/aws/connection-secret.ts';
import { parseUrl } from '../../src/config/address.ts';
import { type AwsAnswer, awsError, startAwsStandIn } from './stand-in.ts';

const originOf = (address: string): string | undefined => parseUrl(address)?.origin;

async function world(t: Test, answer: AwsAnswer) {
  const standIn = await startAwsStandIn();
  const client = new SecretsManagerClient({ ...standIn.client, maxAttempts: 1 });
  t.teardown(async () => {
    client.destroy();
    await standIn.close();
  });
  standIn.answer(answer);
  return { standIn, read: connectionSecret('ferry/vault', originOf, client) };
}

const holding = (value: unknown): AwsAnswer => ({
  body: { SecretString: typeof value === 'string' ? value : JSON.stringify(value) },
});

t.test('address and token are read anew each time, whatever else the secret holds', async (t) => {
  const { standIn, read } = await world(
    t,
    holding({ vaultAddress: 'https://vault.example:8200/', vaultToken: 's.1', more: 1 }),
  );
  const { address, token } = await read();
  t.equal(address, 'https://vault.example:8200');
  t.equal(token.reveal(), 's.1');
  standIn.answer(holding({ vaultAddress: 'http://b', vaultToken: 's.2' }));
  t.equal((await read()).token.reveal(), 's.2');
  t.strictSame(standIn.operations, ['GetSecretValue', 'GetSecretValue']);
});

t.test('what is amiss is said with the name of the secret and nothing of its value', async (t) => {
  const address = 'https://canary.example';
  const cases: [AwsAnswer, RegExp][] = [
    [awsError('ResourceNotFoundException', 'canary'), /ferry\/vault.*cannot be read \(ResourceNotFoundException\)/],
    [{ act: 'reset' }, /cannot be read/],
    [{ body: {} }, /vaultAddress/],
    ...['canary', 'null', '[]', '7', '{"vaultAddress":1}', '{"vaultAddress":"canary"}'].map(
      (value): [AwsAnswer, RegExp] => [holding(value), /vaultAddress/],
    ),
    [holding({ vaultAddress: address }), /vaultToken/],
    [holding({ vaultAddress: address, vaultToken: '' }), /vaultToken/],
    [holding({ vaultAddress: address, vaultToken: 'canary canary' }), /vaultToken/],
  ];
  for (const [answer, message] of cases) {
    const { read } = await world(t, answer);
    const error: unknown = await read().catch((thrown: unknown) => thrown);
    t.match(error, { code: 'source_unavailable', message }, JSON.stringify(answer));
    t.notMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), 'canary');
  }
});

t.test("an ARN's region is asked, else the SDK's", async (t) => {
  const before = { ...process.env };
  const standIn = await startAwsStandIn();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: standIn.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'b',
  });
  t.teardown(async () => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
    await standIn.close();
  });
  standIn.answer(holding({ vaultAddress: 'http://a', vaultToken: 's.1' }));
  for (const id of ['name', 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:name-AbCdEf']) {
    t.match(await connectionSecret(id, originOf)(), { address: 'http://a' });
  }
  const regions = standIn.authorizations.map((text) => text.split('/')[2]);
  t.strictSame(regions, ['us-east-1', 'eu-west-1']);
});
