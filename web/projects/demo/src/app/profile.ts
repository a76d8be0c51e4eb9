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
      <p>This is all that the issuer says of you, in the ID token and at UserInfo.</p>
      <app-claims [of]="claims" />
    } @else {
      <p>There are none: who signs in directly gets no ID token.</p>
    }
  `,
})
export default class Profile {
  protected readonly keywright = inject(Keywright);
}
