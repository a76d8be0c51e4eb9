import { Component, inject } from '@angular/core';
import { RouterLink } from '@angular/router';
import { Keywright } from '@keywright/angular';
import { injectSettings } from './settings';
import { choose, way } from './way';

@Component({ selector: 'app-start', imports: [RouterLink], templateUrl: './start.html' })
export class Start {
  protected readonly keywright = inject(Keywright);
  protected readonly settings = injectSettings();
  protected readonly way = way;
  protected readonly choose = choose;
}
