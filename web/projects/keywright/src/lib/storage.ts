import { KeywrightError } from './error';

/** What the browser keeps for us: `sessionStorage` for this tab, `localStorage` for all. Either may be forbidden. */
export type Kind = 'sessionStorage' | 'localStorage';

/** What was kept as JSON, an object or null; undefined where nothing was or may be kept, and for what somebody else has put there. */
export function recall<T extends object>(kind: Kind, name: string): T | null | undefined {
  try {
    const value: unknown = JSON.parse(globalThis[kind].getItem(name) ?? '');
    return typeof value === 'object' ? (value as T | null) : undefined;
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
