import type { Tokens } from './methods';
import { KeywrightSignInElement } from './sign-in-element';

export type { Credentials, Methods, Outcome, Refusal, Registration, Tokens } from './methods';
export { refusals, registered } from './methods';
export { KeywrightSignInElement } from './sign-in-element';
export type { StepName } from './steps';
export type { Texts } from './texts';

declare global {
  interface HTMLElementTagNameMap {
    'keywright-sign-in': KeywrightSignInElement;
  }
  interface HTMLElementEventMap {
    /** Null where the element's `methods` keep the tokens themselves. */
    'signed-in': CustomEvent<Tokens | null>;
  }
}

const { customElements } = globalThis;
if (customElements && !customElements.get('keywright-sign-in')) customElements.define('keywright-sign-in', KeywrightSignInElement);
