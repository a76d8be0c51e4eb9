import { actionOf } from '../gotest.ts';
import { expect, test } from '../test.ts';

test('a try is counted as failed if there is no other', () => {
  const tries = [['failed', 0], ['failed', 1], ['timedOut', 0], ['timedOut', 1], ['interrupted', 0], ['passed', 1], ['skipped', 0]] as const;
  const actions = tries.map(([status, retry]) => actionOf({ retries: 1 }, { status, retry }));
  expect(actions).toEqual(['retry', 'fail', 'retry', 'fail', 'fail', 'pass', 'skip']);
});
