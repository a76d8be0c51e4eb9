import { appendFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, TestCase, TestResult } from '@playwright/test/reporter';

const actions = { passed: 'pass', failed: 'fail', timedOut: 'fail', interrupted: 'fail', skipped: 'skip' };

/**
 * Appends the results to the file that GOTEST_JSON names, as `go test -json`
 * writes them, so that one count serves all suites.
 */
export default class GoTestReporter implements Reporter {
  onTestEnd(test: TestCase, result: TestResult): void {
    if (!process.env.GOTEST_JSON) return;
    const name = { Package: 'web/e2e', Test: test.titlePath().slice(3).join('/').replaceAll(' ', '_') };
    const events = [
      ...result.errors.map(({ message, stack }) => ({ Action: 'output', ...name, Output: stripVTControlCharacters(stack ?? message ?? '') + '\n' })),
      { Action: actions[result.status], ...name, Elapsed: result.duration / 1000 },
    ];
    appendFileSync(process.env.GOTEST_JSON, events.map((event) => JSON.stringify({ Time: new Date().toISOString(), ...event }) + '\n').join(''));
  }

  printsToStdio(): boolean {
    return false;
  }
}
