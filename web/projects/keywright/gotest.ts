import { appendFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, TestCase } from 'vitest/node';

const actions = { passed: 'pass', failed: 'fail', skipped: 'skip', pending: 'skip' };

/**
 * Appends the results to the file that GOTEST_JSON names, as `go test -json`
 * writes them, so that one count serves all suites.
 */
export default class GoTestReporter implements Reporter {
  onTestCaseResult(test: TestCase): void {
    if (!process.env.GOTEST_JSON) return;
    const { state, errors = [] } = test.result();
    const name = { Package: 'web/projects/keywright', Test: test.fullName.replaceAll(' > ', '/').replaceAll(' ', '_') };
    const events = [
      ...errors.map(({ message, stack }) => ({ Action: 'output', ...name, Output: stripVTControlCharacters(stack ?? message) + '\n' })),
      { Action: actions[state], ...name, Elapsed: (test.diagnostic()?.duration ?? 0) / 1000 },
    ];
    appendFileSync(process.env.GOTEST_JSON, events.map((event) => JSON.stringify({ Time: new Date().toISOString(), ...event }) + '\n').join(''));
  }
}
