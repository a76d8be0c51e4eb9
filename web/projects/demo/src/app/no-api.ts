import { Component } from '@angular/core';

/** Says how to get an API, where none is configured. */
@Component({
  selector: 'app-no-api',
  template: `
    <p>
      No API is configured. <code>make run</code> starts one beside Keywright; or name yours:
      <code>keywright dev --demo --api-url http://localhost:8080/</code>
    </p>
  `,
})
export class NoApi {}
