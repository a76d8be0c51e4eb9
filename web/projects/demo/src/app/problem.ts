import { Component, computed, input } from '@angular/core';
import { KeywrightError, KeywrightErrorCode } from '@keywright/angular';

/** What people are told, where they can do something about it. Developers find more in the error's message. */
const texts: Partial<Record<KeywrightErrorCode, string>> = {
  'config-invalid': 'This app could not be started. Please reload the page.',
  'issuer-unreachable': 'The sign-in server does not answer. Check your connection, and try again.',
  'sign-in-refused': 'You were not signed in. You can try again.',
  'session-ended': 'You were signed out. Please sign in again.',
  'storage-forbidden': 'Your browser blocks storage for this page. Allow it, then sign in again.',
  'credentials-wrong': 'The email address or the password is not right.',
  'input-invalid': 'Something you typed was refused.',
  'too-many-attempts': 'There were too many attempts.',
  'registration-closed': 'Nobody can create an account here at the moment.',
};

const saidByForms: readonly KeywrightErrorCode[] = ['credentials-wrong', 'input-invalid', 'too-many-attempts', 'registration-closed'];

/** Says whether it is told beside the form that it comes of, rather than above the page. */
export function isSaidByForm(error: KeywrightError | undefined): boolean {
  return error !== undefined && saidByForms.includes(error.code);
}

/** Tells what went wrong, aloud. Every error is told anew, even if it is what the last one was. */
@Component({
  selector: 'app-problem',
  template: `
    <div role="alert">
      @for (error of errors(); track error) {
        <div class="alert">
          <p>
            {{ texts[error.code] ?? 'That did not work. Please sign in again.' }}
            @if (error.retryAfter) {
              Try again {{ inMinutes(error.retryAfter) }}.
            }
          </p>
          <details>
            <summary>For developers</summary>
            <code>{{ error.message }}</code>
          </details>
        </div>
      }
    </div>
  `,
})
export class Problem {
  readonly error = input.required<KeywrightError | undefined>();

  protected readonly texts = texts;
  protected readonly inMinutes = inMinutes;
  protected readonly errors = computed(() => [this.error()].filter((error) => error !== undefined));
}

/** Says when: `in 15 minutes`. */
function inMinutes(seconds: number): string {
  return new Intl.RelativeTimeFormat('en').format(Math.ceil(seconds / 60), 'minute');
}
