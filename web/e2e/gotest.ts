import type { Reporter, TestCase, TestResult } from '@playwright/test/reporter';
import { record } from '../gotest.ts';

const actions = { passed: 'pass', failed: 'fail', timedOut: 'fail', interrupted: 'fail', skipped: 'skip' } as const;

/** Lets the results be counted together with those of the other suites. */
export default class GoTestReporter implements Reporter {
  onTestEnd(test: TestCase, { status, duration, errors }: TestResult): void {
    record('web/e2e', { test: test.titlePath().slice(3), action: actions[status], milliseconds: duration, errors });
  }

  printsToStdio(): boolean {
    return false;
  }
}
