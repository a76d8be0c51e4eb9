import { KeywrightError } from './error';

/** What the browser keeps for us: `sessionStorage` for this tab, `localStorage` for all. Either may be forbidden. */
export type Kind = 'sessionStorage' | 'localStorage';

/** What was kept, or undefined if nothing was or may be. */
export function recall(kind: Kind, name: string): string | undefined {
  try {
    return globalThis[kind].getItem(name) ?? undefined;
  } catch {
    return undefined;
  }
}

/** What was kept as JSON; undefined also for what somebody else has put there. */
export function recallRecord<T extends object>(kind: Kind, name: string): T | undefined {
  try {
    const value: unknown = JSON.parse(recall(kind, name) ?? 'null');
    return typeof value === 'object' && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}

export function forget(kind: Kind, name: string): void {
  try {
    globalThis[kind].removeItem(name);
  } catch {
    // Where nothing may be kept there is nothing to forget.
  }
}

/** Keeps a value. @returns whether the browser lets us */
export function keep(kind: Kind, name: string, value: string): boolean {
  try {
    globalThis[kind].setItem(name, value);
    return true;
  } catch {
    return false;
  }
}

/** Keeps a value that there is no going on without. @throws KeywrightError `storage-forbidden` */
export function mustKeep(kind: Kind, name: string, value: string): void {
  if (!keep(kind, name, value)) throw new KeywrightError('storage-forbidden', { found: kind });
}
