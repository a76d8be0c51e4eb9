import { appendFileSync } from 'node:fs';
import type { Reporter, TestCase } from 'vitest/node';

const actions = { passed: 'pass', failed: 'fail', skipped: 'skip', pending: 'skip' };

/**
 * Appends the results to the file that GOTEST_JSON names, as `go test -json`
 * writes them, so that one count serves all suites.
 */
export default class GoTestReporter implements Reporter {
  onTestCaseResult(test: TestCase): void {
    if (!process.env.GOTEST_JSON) return;
    const event = {
      Time: new Date().toISOString(), Action: actions[test.result().state], Package: 'web/projects/keywright',
      Test: test.fullName.replaceAll(' > ', '/').replaceAll(' ', '_'), Elapsed: (test.diagnostic()?.duration ?? 0) / 1000,
    };
    appendFileSync(process.env.GOTEST_JSON, JSON.stringify(event) + '\n');
  }
}
