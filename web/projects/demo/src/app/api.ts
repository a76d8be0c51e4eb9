import { HttpClient, HttpErrorResponse } from '@angular/common/http';
import { Component, inject, signal } from '@angular/core';
import { RouterLink } from '@angular/router';
import { firstValueFrom } from 'rxjs';
import { injectSettings } from './settings';

/** What the API answers. */
interface Greeting {
  readonly message: string;
  readonly scope: string;
}

/** Calls an API on another origin. The interceptor adds the access token to the request. */
@Component({
  selector: 'app-api',
  imports: [RouterLink],
  template: `
    <h1 tabindex="-1">The API</h1>
    @if (settings.api; as api) {
      <p>
        <code>{{ api }}</code> is another origin. The interceptor adds your access token to requests that go there, and to no others.
      </p>
      <button class="primary" type="button" (click)="call(api)">Call the API</button>
      <div role="status">
        @if (failure(); as failure) {
          <p class="alert">{{ failure }}</p>
        } @else if (greeting(); as greeting) {
          <p class="notice">{{ greeting.message }}</p>
          <p>It read that in <a routerLink="/tokens">your access token</a>, which is good for <code>{{ greeting.scope }}</code>.</p>
        }
      </div>
    } @else {
      <p>This app was told of none: <code>keywright.json</code> names it as <code>api</code>.</p>
    }
  `,
})
export default class Api {
  readonly #http = inject(HttpClient);
  protected readonly settings = injectSettings();
  protected readonly greeting = signal<Greeting | undefined>(undefined);
  protected readonly failure = signal<string | undefined>(undefined);

  protected async call(api: string): Promise<void> {
    this.failure.set(undefined);
    try {
      this.greeting.set(await firstValueFrom(this.#http.get<Greeting>(api)));
    } catch (error) {
      this.failure.set(explain(error));
    }
  }
}

function explain(error: unknown): string {
  if (!(error instanceof HttpErrorResponse)) return 'There is no access token, and the sign-in server gives no other.';
  if (error.status === 401) return 'The API refuses this token.';
  if (error.status === 0) return 'The API does not answer. Is it running?';
  return `The API answered ${error.status}.`;
}
