import t from 'tap';
import { environment, silenceSdk } from '../../src/config/env.ts';

const SDK_VARIABLE = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';

t.test('the environment is what the program was started with', async (t) => {
  t.equal(environment(), process.env);
});

t.test('the SDK is told not to print its warning', async (t) => {
  const before = process.env[SDK_VARIABLE];
  t.teardown(() => {
    if (before === undefined) delete process.env[SDK_VARIABLE];
    else process.env[SDK_VARIABLE] = before;
  });
  delete process.env[SDK_VARIABLE];
  silenceSdk();
  t.equal(process.env[SDK_VARIABLE], 'true');
});
