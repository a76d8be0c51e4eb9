import { Component, inject } from '@angular/core';
import { Router } from '@angular/router';
import { KeywrightSignIn } from '@keywright/angular/ui';

/** The library's own form, for apps without one of their own. */
@Component({
  selector: 'app-widget',
  imports: [KeywrightSignIn],
  template: `
    <h1 tabindex="-1">The sign-in widget</h1>
    <p>This form comes with the library, and works without Angular too.</p>
    <p><code>&lt;keywright-sign-in /&gt;</code></p>
    <keywright-sign-in (signedIn)="router.navigateByUrl('/profile')" />
  `,
})
export default class Widget {
  protected readonly router = inject(Router);
}
