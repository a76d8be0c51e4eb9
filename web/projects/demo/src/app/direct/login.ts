import { Component, inject, signal } from '@angular/core';
import { ActivatedRoute, Router, RouterLink } from '@angular/router';
import { Keywright, KeywrightError } from '@keywright/angular';
import { isSaidByForm, Problem } from '../problem';
import { TextField } from './text-field';

@Component({
  selector: 'app-login',
  imports: [Problem, RouterLink, TextField],
  host: { class: 'card' },
  template: `
    <h1 tabindex="-1">Sign in</h1>
    @if (registered && !problem()) {
      <p class="notice" role="status">Almost there: sign in with your new password.</p>
    }
    <app-problem [error]="problem()" />
    <form #form (submit)="$event.preventDefault(); signIn(form)">
      <app-text-field name="email" label="Email address" type="email" autocomplete="username" [value]="registered?.email ?? ''" />
      <app-text-field name="password" label="Password" type="password" autocomplete="current-password" />
      <button class="primary">{{ busy() ? 'Signing in…' : 'Sign in' }}</button>
    </form>
    <p class="aside">New here? <a routerLink="/register" queryParamsHandling="preserve">Create an account</a></p>
  `,
})
export default class Login {
  readonly #keywright = inject(Keywright);

  /** Where the guard has stopped the person. */
  readonly #returnTo = inject(ActivatedRoute).snapshot.queryParamMap.get('returnTo') ?? '/profile';
  /** Who comes here from the page that makes accounts. */
  protected readonly registered = inject(Router).currentNavigation()?.extras.info as { email: string } | undefined;

  protected readonly problem = signal<KeywrightError | undefined>(undefined);
  protected readonly busy = signal(false);

  protected async signIn(form: HTMLFormElement): Promise<void> {
    if (this.busy()) return;
    this.busy.set(true);
    this.problem.set(undefined);
    const { email, password } = Object.fromEntries(new FormData(form)) as Record<'email' | 'password', string>;
    if (!(await this.#keywright.signIn({ email, password, returnTo: this.#returnTo }))) this.#refuse(form);
    this.busy.set(false);
  }

  #refuse(form: HTMLFormElement): void {
    const error = this.#keywright.error();
    if (isSaidByForm(error)) this.problem.set(error);
    form.querySelector<HTMLElement>('#password')?.focus();
  }
}
