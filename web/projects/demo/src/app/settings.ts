import { inject, InjectionToken } from '@angular/core';
import { ActivatedRoute } from '@angular/router';

/** What the app is told when it starts, by /keywright.json. None of it is secret. */
export interface Settings {
  readonly issuer: string;
  readonly clientId: string;
  /** An API on another origin. */
  readonly api?: string;
  /** An app on another origin, of the same issuer. */
  readonly other?: string;
}

export const SETTINGS = new InjectionToken<Promise<Settings>>('settings', {
  factory: async () => (await fetch('keywright.json')).json(),
});

/** The settings, for a page: its route has waited for them. */
export function injectSettings(): Settings {
  return inject(ActivatedRoute).snapshot.data['settings'];
}
