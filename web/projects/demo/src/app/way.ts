/** The two ways of signing in that this app shows. Yours needs one of them, and nothing of this file. */
export type Way = 'redirect' | 'direct';

const name = 'keywright-demo:way';

/** The way that the visitor has chosen. */
export const way: Way = recall() === 'direct' ? 'direct' : 'redirect';

export function choose(way: Way): void {
  try {
    localStorage.setItem(name, way);
  } catch {
    window.name = way; // the browser keeps nothing for this app: the choice lasts for this tab
  }
  location.reload();
}

function recall(): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return window.name;
  }
}
