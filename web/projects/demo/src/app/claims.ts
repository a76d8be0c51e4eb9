import { Component, computed, input } from '@angular/core';

/** Claims that are times, in seconds since 1970. RFC 7519 §2 calls that a NumericDate. */
const times = ['auth_time', 'exp', 'iat', 'nbf', 'updated_at'];

/** A JSON object, a line for each of its members. */
@Component({
  selector: 'app-claims',
  template: `
    <dl>
      @for (claim of claims(); track claim.name) {
        <div><dt><code>{{ claim.name }}</code></dt><dd><code>{{ claim.value }}</code></dd></div>
      }
    </dl>
  `,
})
export class Claims {
  readonly of = input.required<object>();

  protected readonly claims = computed(() => Object.entries(this.of()).map(([name, value]) => ({ name, value: readable(name, value) })));
}

function readable(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && times.includes(name)) return `${value} (${new Date(value * 1000).toLocaleString()})`;
  return JSON.stringify(value);
}
