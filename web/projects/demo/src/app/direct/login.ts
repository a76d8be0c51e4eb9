import { AfterViewInit, Component, ElementRef, inject, signal } from '@angular/core';
import { Router, RouterLink } from '@angular/router';
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
      <app-text-field
        name="password"
        label="Password"
        type="password"
        autocomplete="current-password"
        [hint]="registered && 'The one you have just chosen.'"
      />
      <button class="primary">{{ busy() ? 'Signing in…' : 'Sign in' }}</button>
    </form>
    <p class="aside">New here? <a routerLink="/register" queryParamsHandling="preserve">Create an account</a></p>
  `,
})
export default class Login implements AfterViewInit {
  readonly #keywright = inject(Keywright);
  readonly #router = inject(Router);
  readonly #element: HTMLElement = inject(ElementRef).nativeElement;

  /** Who comes here from the page that makes accounts. */
  protected readonly registered = this.#router.currentNavigation()?.extras.info as { email: string } | undefined;

  protected readonly problem = signal<KeywrightError | undefined>(undefined);
  protected readonly busy = signal(false);

  ngAfterViewInit(): void {
    if (this.registered) this.#askPassword();
  }

  protected async signIn(form: HTMLFormElement): Promise<void> {
    if (this.busy()) return;
    this.busy.set(true);
    this.problem.set(undefined);
    const { email, password } = Object.fromEntries(new FormData(form)) as Record<'email' | 'password', string>;
    if (!(await this.#keywright.signIn({ email, password }))) this.#refuse();
    else if (this.#router.url.startsWith('/login')) await this.#router.navigateByUrl('/profile'); // the guard has stopped nobody elsewhere
    this.busy.set(false);
  }

  #refuse(): void {
    const error = this.#keywright.error();
    if (isSaidByForm(error)) this.problem.set(error);
    this.#askPassword();
  }

  #askPassword(): void {
    const password = this.#element.querySelector<HTMLInputElement>('#password');
    password?.focus();
    password?.select(); // so that typing replaces a wrong one
  }
}
