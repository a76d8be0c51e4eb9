import { HttpClient, HttpErrorResponse } from '@angular/common/http';
import { Component, inject, signal } from '@angular/core';
import { RouterLink } from '@angular/router';
import { Claims } from './claims';
import { NoApi } from './no-api';
import { injectSettings } from './settings';

/** Calls an API on another origin. The interceptor adds the access token to the request. */
@Component({
  selector: 'app-api',
  imports: [Claims, NoApi, RouterLink],
  template: `
    <h1 tabindex="-1">The API</h1>
    @if (settings.api; as api) {
      <p>
        <code>{{ api }}</code> is on another origin. The interceptor adds your access token to requests that go there, and to no others.
      </p>
      <button class="primary" type="button" (click)="call(api)">Call the API</button>
      <div role="status">
        @if (failure(); as failure) {
          <p class="alert">{{ failure }}</p>
        } @else if (answer(); as answer) {
          <p>It accepted <a routerLink="/tokens">your access token</a>, and answered:</p>
          <app-claims [of]="answer" />
        }
      </div>
    } @else {
      <app-no-api />
    }
  `,
})
export default class Api {
  readonly #http = inject(HttpClient);
  protected readonly settings = injectSettings();
  protected readonly answer = signal<object | undefined>(undefined);
  protected readonly failure = signal<string | undefined>(undefined);

  protected call(api: string): void {
    this.failure.set(undefined);
    this.#http.get<unknown>(api).subscribe({
      next: (answer) => this.answer.set(answer instanceof Object ? answer : { answer }),
      error: (error) => this.failure.set(explain(error)),
    });
  }
}

function explain(error: unknown): string {
  if (!(error instanceof HttpErrorResponse)) return 'There is no valid access token, and the sign-in server issued no new one.';
  if (error.status === 401) return 'The API refuses this token.';
  if (error.status === 0) return 'The API does not answer. Is it running?';
  return `The API answered ${error.status}.`;
}
