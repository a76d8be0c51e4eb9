import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Builds the binary under test, once, as users build it, unless E2E_BINARY names one. */
export default function build(): void | (() => void) {
  if (process.env.E2E_BINARY) return;
  const folder = mkdtempSync(join(tmpdir(), 'keywright-web-'));
  const binary = join(folder, 'keywright');
  execFileSync('go', ['build', '-o', binary, '../../cmd/keywright'], {
    cwd: import.meta.dirname, env: { ...process.env, CGO_ENABLED: '0' }, stdio: 'inherit',
  });
  process.env.E2E_BINARY = binary;
  return () => rmSync(folder, { recursive: true });
}
