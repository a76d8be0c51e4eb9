import { Component, inject } from '@angular/core';
import { ActivatedRoute } from '@angular/router';
import { Keywright, SignInOptions } from '@keywright/angular';

/** Leads to the issuer, where people sign in and create accounts. */
@Component({
  selector: 'app-at-issuer',
  host: { class: 'card' },
  template: `
    <h1 tabindex="-1">{{ options.prompt === 'create' ? 'Create an account' : 'Sign in' }} at Keywright</h1>
    <p>Afterwards you come back here. This app never sees your password.</p>
    <button class="primary" type="button" (click)="keywright.signIn(options)">Continue to Keywright</button>
  `,
})
export class AtIssuer {
  protected readonly keywright = inject(Keywright);
  /** Without `returnTo`: where the guard has stopped the person; from here whoever is signed in goes on to their profile. */
  protected readonly options: SignInOptions = inject(ActivatedRoute).snapshot.data;
}
