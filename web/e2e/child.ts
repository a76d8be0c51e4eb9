import type { ChildProcess } from 'node:child_process';

/** Lets a process end with this one, at the latest: a test that fails stops nothing. */
export function endWithUs(child: ChildProcess): void {
  const kill = () => child.kill();
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
}

/** Ends a process, if it has not ended, and waits for that. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((ended) => {
    child.once('exit', ended);
    child.kill();
  });
}
