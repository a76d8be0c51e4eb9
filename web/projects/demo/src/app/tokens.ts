import { Component, computed, DestroyRef, inject, signal } from '@angular/core';
import { Keywright } from '@keywright/angular';
import { decode } from './jwt';
import { injectSettings } from './settings';

/** What is in the tokens. An app has no need to look: it asks `Keywright` who is signed in. */
@Component({ selector: 'app-tokens', templateUrl: './tokens.html' })
export default class Tokens {
  protected readonly keywright = inject(Keywright);
  protected readonly settings = injectSettings();
  readonly #now = signal(Date.now());

  protected readonly token = signal<string | undefined>(undefined);
  protected readonly jwt = computed(() => decode(this.token()));
  /** By the clock of this device, which may be wrong: `Keywright` does not rely on it. */
  protected readonly secondsLeft = computed(() => Math.max(0, Math.ceil((this.jwt()?.payload.exp ?? 0) - this.#now() / 1000)));
  protected readonly timeLeft = computed(() => {
    const seconds = this.secondsLeft();
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  });

  constructor() {
    const clock = setInterval(() => this.#now.set(Date.now()), 1000);
    inject(DestroyRef).onDestroy(() => clearInterval(clock));
    this.show();
  }

  /** Shows the token that a request to the API would carry now. */
  protected async show(): Promise<void> {
    const { api } = this.settings;
    this.token.set(api && (await this.keywright.accessToken(api).catch(() => undefined)));
  }

  protected json(value: unknown): string {
    return JSON.stringify(value, null, 2);
  }
}
