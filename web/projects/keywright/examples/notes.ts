import { httpResource } from '@angular/common/http';
import { Component, inject } from '@angular/core';
import { Keywright } from '@keywright/angular';

@Component({
  selector: 'app-notes',
  template: `
    <h1>Notes of {{ keywright.user()?.name }}</h1>
    @if (greeting.hasValue()) {
      <p>{{ greeting.value().message }}</p>
    } @else if (greeting.error()) {
      <p>The API does not answer.</p>
    }
  `,
})
export default class Notes {
  protected readonly keywright = inject(Keywright);
  protected readonly greeting = httpResource<{ message: string }>(() => 'http://localhost:10102/');
}
