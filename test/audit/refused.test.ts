import t from 'tap';
import { isRefused } from '../../src/audit/refused.ts';

t.test('errors that prove that nothing was written', async (t) => {
  for (const error of [
    'permission denied',
    'invalid request',
    'check-and-set parameter did not match the current version',
    'check-and-set parameter required for this call',
    '1 error occurred:\n\t* permission denied\n\n',
    '1 error occurred:\n\t* invalid request\n\n',
    '2 errors occurred:\n\t* invalid request\n\t* permission denied\n\n',
    '2 errors occurred:\n\n* permission denied\n* invalid request',
    '1 error occurred:\n\t* check-and-set parameter did not match the current version\n\n',
  ]) {
    t.equal(isRefused(error), true, error);
  }
});

t.test('any other error, or one other among several, may have come after the commit', async (t) => {
  for (const error of [
    'context canceled',
    'permission denied by storage backend',
    'Permission denied',
    '2 errors occurred:\n\t* permission denied\n\t* context deadline exceeded\n\n',
    '1 error occurred:\n\t* failed to audit response\n\n',
    '2 errors occurred:\n\t* permission denied\n\n',
    '1 error occurred:\n\t* permission denied\n\t* permission denied\n\n',
    '1 error occurred:\n\t* permission denied\nand more\n',
    '0 errors occurred:\n\n',
    'errors occurred:\n\t* permission denied\n',
    '\t* permission denied\n',
    '',
    '\n',
  ]) {
    t.equal(isRefused(error), false, error);
  }
});
