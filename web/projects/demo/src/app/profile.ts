import { Component, computed, inject } from '@angular/core';
import { Keywright } from '@keywright/angular';

/** Who is signed in. */
@Component({
  selector: 'app-profile',
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
    @if (claims(); as claims) {
      <p>This is all that the issuer says of you, in the ID token and at UserInfo.</p>
      <dl>
        @for (claim of claims; track claim.name) {
          <div><dt><code>{{ claim.name }}</code></dt><dd><code>{{ claim.value }}</code></dd></div>
        }
      </dl>
    } @else {
      <p>There are none: who signs in directly gets no ID token.</p>
    }
  `,
})
export default class Profile {
  protected readonly keywright = inject(Keywright);

  protected readonly claims = computed(() => {
    const claims = this.keywright.claims();
    return claims && Object.entries(claims).map(([name, value]) => ({ name, value: JSON.stringify(value) }));
  });
}
