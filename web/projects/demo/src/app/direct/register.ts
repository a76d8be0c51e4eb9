import { Component, inject, signal } from '@angular/core';
import { Router, RouterLink } from '@angular/router';
import { Keywright, KeywrightError, Registration } from '@keywright/angular';
import { isSaidByForm, Problem } from '../problem';
import { TextField } from './text-field';

@Component({
  selector: 'app-register',
  imports: [Problem, RouterLink, TextField],
  host: { class: 'card' },
  template: `
    <h1 tabindex="-1">Create an account</h1>
    <app-problem [error]="problem()" />
    <form #form (submit)="$event.preventDefault(); register(form)">
      <app-text-field name="name" label="Your name" autocomplete="name" [maxLength]="200" />
      <app-text-field name="email" label="Email address" type="email" autocomplete="username" />
      <app-text-field
        name="password"
        label="Password"
        type="password"
        autocomplete="new-password"
        hint="At least 8 characters. A few words are easier to remember than one hard one."
        [minLength]="8"
      />
      <button class="primary">{{ busy() ? 'Creating your account…' : 'Create account' }}</button>
    </form>
    <p class="aside">Already have an account? <a routerLink="/login" queryParamsHandling="preserve">Sign in</a></p>
  `,
})
export default class Register {
  readonly #keywright = inject(Keywright);
  readonly #router = inject(Router);

  protected readonly problem = signal<KeywrightError | undefined>(undefined);
  protected readonly busy = signal(false);

  protected async register(form: HTMLFormElement): Promise<void> {
    if (this.busy()) return;
    this.busy.set(true);
    this.problem.set(undefined);
    const person = Object.fromEntries(new FormData(form)) as Record<keyof Registration, string>;
    if (await this.#keywright.register(person)) {
      await this.#router.navigate(['/login'], { queryParamsHandling: 'preserve', info: { email: person.email } });
    } else {
      this.#refuse(form);
    }
    this.busy.set(false);
  }

  /** Says what the server has against a field as the browser says what it has against one. */
  #refuse(form: HTMLFormElement): void {
    const error = this.#keywright.error();
    for (const field of form.querySelectorAll('input')) field.setCustomValidity(error?.fields?.[field.name] ?? '');
    if (form.reportValidity() && isSaidByForm(error)) this.problem.set(error);
  }
}
