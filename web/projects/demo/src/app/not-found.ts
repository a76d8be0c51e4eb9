import { Component } from '@angular/core';
import { RouterLink } from '@angular/router';

@Component({
  selector: 'app-not-found',
  imports: [RouterLink],
  template: `
    <h1 tabindex="-1">There is no such page</h1>
    <p>The address may be mistyped, or the page may be gone.</p>
    <a class="button primary" routerLink="/">Go to the start page</a>
  `,
})
export default class NotFound {}
