import { Component } from '@angular/core';
import { RouterLink } from '@angular/router';
import { way } from './way';
import Widget from './widget';

/** The widget, and in this app how to see the whole of it. */
@Component({
  selector: 'app-widget-page',
  imports: [RouterLink, Widget],
  host: { class: 'narrow' },
  template: `
    <app-widget />
    @if (way === 'redirect') {
      <p class="aside">
        People sign in at the issuer’s pages here, so it is one button. To see its form, choose “In this app” on
        <a routerLink="/">the start page</a>.
      </p>
    }
  `,
})
export default class WidgetPage {
  protected readonly way = way;
}
