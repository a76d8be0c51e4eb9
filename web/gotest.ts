import { appendFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

/** How a test ended. */
export interface Result {
  /** Titles, from the outermost on. */
  readonly test: readonly string[];
  readonly action: 'pass' | 'fail' | 'skip' | 'retry';
  readonly milliseconds: number;
  readonly errors: readonly { readonly message?: string; readonly stack?: string }[];
}

/**
 * Appends a result to the file that GOTEST_JSON names, if it names one, as
 * `go test -json` writes it, so that one count serves all suites.
 *
 * @param suite its folder
 */
export function record(suite: string, { test, action, milliseconds, errors }: Result): void {
  if (!process.env.GOTEST_JSON) return;
  const name = { Package: suite, Test: test.join('/').replaceAll(' ', '_') };
  const events = [
    { Action: 'run', ...name },
    ...errors.map(({ message = '', stack = message }) => ({ Action: 'output', ...name, Output: stripVTControlCharacters(stack) + '\n' })),
    { Action: action, ...name, Elapsed: milliseconds / 1000 },
  ];
  appendFileSync(process.env.GOTEST_JSON, events.map((event) => JSON.stringify({ Time: new Date().toISOString(), ...event }) + '\n').join(''));
}
