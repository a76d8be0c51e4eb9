import { Component, inject } from '@angular/core';
import { ActivatedRoute } from '@angular/router';
import { Keywright, SignInOptions } from '@keywright/angular';

/** Leads to the issuer, where people sign in and create accounts. */
@Component({
  selector: 'app-at-issuer',
  host: { class: 'card' },
  template: `
    <h1 tabindex="-1">Go on at Keywright</h1>
    <p>There you sign in, or create an account, and come back here. This app never sees your password.</p>
    <button class="primary" type="button" (click)="keywright.signIn(options)">Continue to Keywright</button>
  `,
})
export default class AtIssuer {
  protected readonly keywright = inject(Keywright);
  protected readonly options: SignInOptions = { returnTo: '/profile', ...inject(ActivatedRoute).snapshot.data };
}
