import { appendFileSync } from 'node:fs';
import type { Reporter, TestCase, TestResult } from '@playwright/test/reporter';

const actions = { passed: 'pass', failed: 'fail', timedOut: 'fail', interrupted: 'fail', skipped: 'skip' };

/**
 * Appends the results to the file that GOTEST_JSON names, as `go test -json`
 * writes them, so that one count serves all suites.
 */
export default class GoTestReporter implements Reporter {
  onTestEnd(test: TestCase, result: TestResult): void {
    if (!process.env.GOTEST_JSON) return;
    const event = {
      Time: new Date().toISOString(), Action: actions[result.status], Package: 'web/e2e',
      Test: test.titlePath().slice(3).join('/').replaceAll(' ', '_'), Elapsed: result.duration / 1000,
    };
    appendFileSync(process.env.GOTEST_JSON, JSON.stringify(event) + '\n');
  }

  printsToStdio(): boolean {
    return false;
  }
}
