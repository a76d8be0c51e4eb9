import type { Reporter, TestCase, TestResult } from '@playwright/test/reporter';
import { record } from '../gotest.ts';

const actions = { passed: 'pass', failed: 'fail', timedOut: 'fail', interrupted: 'fail', skipped: 'skip' } as const;

/** Lets the results be counted together with those of the other suites. */
export default class GoTestReporter implements Reporter {
  onTestEnd(test: TestCase, { status, duration, errors, retry }: TestResult): void {
    const action = actions[status];
    const last = action !== 'fail' || retry === test.retries;
    const [, project, , ...titles] = test.titlePath();
    record('web/e2e', { test: project === 'tests' ? titles : [project, ...titles], action: last ? action : 'retry', milliseconds: duration, errors });
  }

  printsToStdio(): boolean {
    return false;
  }
}
