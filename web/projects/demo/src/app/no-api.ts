import { Component } from '@angular/core';

/** Says how to get an API, where this app was told of none. */
@Component({
  selector: 'app-no-api',
  template: `
    <p>
      This app was told of none. <code>make run</code> starts one beside Keywright; or name yours:
      <code>keywright dev --demo --api-url http://localhost:8080/</code>
    </p>
  `,
})
export class NoApi {}
