import { booleanAttribute, Component, effect, ElementRef, inject, input, output } from '@angular/core';
import { Keywright } from '@keywright/angular';
import { type KeywrightSignInElement, type Methods, type Outcome, refusals, registered, type Texts } from '@keywright/angular/element';

/**
 * The form of `@keywright/angular/element`, which signs in by `Keywright`. Where people sign in at the issuer's pages
 * it is one button that leads there.
 */
@Component({
  selector: 'keywright-sign-in',
  template: '',
  host: {
    '[attr.step]': 'keywright.takesPasswords ? step() : "redirect"',
    '[attr.email]': 'email()',
    '[attr.no-sign-up]': 'noSignUp() ? "" : null',
    '(signed-in)': 'signedIn.emit()',
  },
})
export class KeywrightSignIn {
  readonly step = input<'sign-in' | 'sign-up'>('sign-in');
  /** An e-mail address to begin with. */
  readonly email = input<string>();
  readonly noSignUp = input(false, { transform: booleanAttribute });
  /** What it says; what is left out stays English. */
  readonly texts = input<Texts>({});
  /** Somebody has signed in, and no deep link has led them on. */
  readonly signedIn = output<void>();

  protected readonly keywright = inject(Keywright);

  constructor() {
    const element: KeywrightSignInElement = inject(ElementRef).nativeElement;
    element.methods = this.#methods();
    if (!this.keywright.takesPasswords) element.setAttribute('step', 'redirect'); // not for a moment asks it for a password
    effect(() => (element.texts = this.texts()));
  }

  #methods(): Methods {
    return {
      signIn: async (credentials) => this.#outcome(await this.keywright.signIn(credentials), { kind: 'signed-in' }),
      register: async (person) => this.#outcome(await this.keywright.register(person), registered),
      redirect: async () => this.#outcome(await this.keywright.signIn({ loginHint: this.email() }), { kind: 'signed-in' }),
    };
  }

  #outcome(done: boolean, outcome: Outcome): Outcome {
    if (done) return outcome;
    const error = this.keywright.error();
    const code = refusals.find((refusal) => refusal === error?.code) ?? 'issuer-invalid';
    return { kind: 'refused', code, retryAfter: error?.retryAfter, fields: error?.fields };
  }
}
