import { InjectionToken } from '@angular/core';

/** What the app is told when it starts, by /keywright.json. None of it is secret. */
export interface Settings {
  readonly issuer: string;
  readonly clientId: string;
  /** An app on another origin, of the same issuer. */
  readonly other?: string;
}

export const SETTINGS = new InjectionToken<Promise<Settings>>('settings', {
  factory: async () => (await fetch('keywright.json')).json(),
});
