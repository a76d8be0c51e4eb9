import type { Reporter, TestCase } from 'vitest/node';
import { record } from '../../gotest.ts';

const actions = { passed: 'pass', failed: 'fail', skipped: 'skip', pending: 'skip' } as const;

/** Lets the results be counted together with those of the other suites. */
export default class GoTestReporter implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const { state, errors = [] } = test.result();
    record('web/projects/keywright', {
      test: test.fullName.split(' > '), action: actions[state], milliseconds: test.diagnostic()?.duration ?? 0, errors,
    });
  }
}
