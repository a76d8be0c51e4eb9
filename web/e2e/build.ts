import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Builds what the tests run, once, as users build it, unless E2E_BINARY and E2E_API name what is built. */
export default function build(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'keywright-web-'));
  process.env.E2E_BINARY ||= compile('cmd/keywright', join(folder, 'keywright'));
  process.env.E2E_API ||= compile('examples/api', join(folder, 'api'));
  return () => rmSync(folder, { recursive: true });
}

function compile(source: string, binary: string): string {
  execFileSync('go', ['build', '-o', binary, './' + source], {
    cwd: join(import.meta.dirname, '../..'), env: { ...process.env, CGO_ENABLED: '0' }, stdio: 'inherit',
  });
  return binary;
}
