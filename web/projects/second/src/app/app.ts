import { Component, inject, resource } from '@angular/core';
import { Keywright } from '@keywright/angular';
import { SETTINGS } from './settings';

@Component({ selector: 'app-root', templateUrl: './app.html' })
export class App {
  readonly #settings = inject(SETTINGS);
  protected readonly settings = resource({ loader: () => this.#settings });
  protected readonly keywright = inject(Keywright);
}
