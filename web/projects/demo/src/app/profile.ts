import { Component, inject } from '@angular/core';
import { Keywright } from '@keywright/angular';
import { Claims } from './claims';

/** Who is signed in. */
@Component({
  selector: 'app-profile',
  imports: [Claims],
  template: `
    <h1 tabindex="-1">Your profile</h1>
    @if (keywright.user(); as user) {
      <dl>
        <div><dt>Name</dt><dd>{{ user.name }}</dd></div>
        <div><dt>Email address</dt><dd>{{ user.email }}</dd></div>
        <div><dt>Id</dt><dd><code>{{ user.id }}</code></dd></div>
      </dl>
    }
    <h2>Claims</h2>
    @if (keywright.claims(); as claims) {
      <p>Everything the issuer says about you, in the ID token and at UserInfo:</p>
      <app-claims [of]="claims" />
    } @else {
      <p>There are none: direct sign-in gives no ID token.</p>
    }
  `,
})
export default class Profile {
  protected readonly keywright = inject(Keywright);
}
