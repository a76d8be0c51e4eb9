import type { Reporter, TestCase, TestResult } from '@playwright/test/reporter';
import { record, type Result } from '../gotest.ts';

const actions = { passed: 'pass', failed: 'fail', timedOut: 'fail', interrupted: 'fail', skipped: 'skip' } as const;

/** Lets the results be counted together with those of the other suites. */
export default class GoTestReporter implements Reporter {
  onTestEnd(test: TestCase, result: TestResult): void {
    const [, project, , ...titles] = test.titlePath();
    const { duration, errors } = result;
    record('web/e2e', { test: project === 'tests' ? titles : [project, ...titles], action: actionOf(test, result), milliseconds: duration, errors });
  }

  printsToStdio(): boolean {
    return false;
  }
}

/** A test that was interrupted is not tried again. */
export function actionOf({ retries }: Pick<TestCase, 'retries'>, { status, retry }: Pick<TestResult, 'status' | 'retry'>): Result['action'] {
  const action = actions[status];
  return action === 'fail' && status !== 'interrupted' && retry < retries ? 'retry' : action;
}
