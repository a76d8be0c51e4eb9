import { Component, computed, DestroyRef, inject, signal } from '@angular/core';
import { Keywright } from '@keywright/angular';
import { Claims } from './claims';
import { decode, secondsLeft } from './jwt';
import { NoApi } from './no-api';
import { injectSettings } from './settings';

/** What is in the tokens. An app has no need to look: it asks `Keywright` who is signed in. */
@Component({ selector: 'app-tokens', imports: [Claims, NoApi], templateUrl: './tokens.html' })
export default class Tokens {
  protected readonly keywright = inject(Keywright);
  protected readonly settings = injectSettings();

  protected readonly token = signal('');
  protected readonly jwt = computed(() => (this.token() ? decode(this.token()) : undefined));
  readonly #now = signal(performance.now());
  readonly #end = computed(() => {
    const jwt = this.jwt();
    return jwt ? performance.now() + secondsLeft(jwt.payload, this.keywright.authenticationAge()) * 1000 : 0;
  });
  protected readonly secondsLeft = computed(() => Math.max(0, Math.ceil((this.#end() - this.#now()) / 1000)));
  protected readonly timeLeft = computed(() => {
    const seconds = this.secondsLeft();
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  });

  constructor() {
    const clock = setInterval(() => this.#now.set(performance.now()), 1000);
    inject(DestroyRef).onDestroy(() => clearInterval(clock));
    this.show();
  }

  /** Shows the token that a request to the API would carry now. */
  protected async show(): Promise<void> {
    const { api } = this.settings;
    this.token.set((api && (await this.keywright.accessToken(api).catch(() => undefined))) || '');
  }
}
