import { create } from './dom';
import { Direct } from './direct';
import { Form } from './form';
import { Methods, Outcome, Refusal, Tokens } from './methods';
import { isTrue, reflect, takeProperties } from './properties';
import { StepName, steps, Typed } from './steps';
import { adopt } from './style';
import { AllTexts, english, Texts } from './texts';

/** On a server there are no elements, and this must not be in the way. */
const Base: typeof HTMLElement = globalThis.HTMLElement ?? class {};

/**
 * A form to sign in and to create an account: `<keywright-sign-in issuer="https://id.example.com">`.
 *
 * Attributes, and properties: `issuer`; `step`, which is `sign-in` or `sign-up`; `email`, to begin with; `no-sign-up`.
 * It dispatches `signed-in`, a CustomEvent whose detail is the tokens, and keeps none.
 */
export class KeywrightSignInElement extends Base {
  static readonly observedAttributes = ['step', 'email', 'no-sign-up'];

  declare issuer: string | null;
  declare step: StepName | null;
  declare email: string | null;
  declare noSignUp: boolean;
  /** How people sign in, unless it is by `/login` and `/register` of `issuer`. */
  accessor methods: Methods | undefined;
  readonly #form = new Form((other) => this.#go(other));
  #texts: AllTexts = english;
  /** Counts what is shown: an answer to an earlier form is none to this one. */
  #shown = 0;
  /** What is done each second while somebody has to wait. */
  #tick?: () => void;
  #ticking?: ReturnType<typeof setInterval>;

  static {
    reflect(this, 'issuer', 'issuer');
    reflect(this, 'step', 'step');
    reflect(this, 'email', 'email');
    reflect(this, 'noSignUp', 'no-sign-up', isTrue);
  }

  constructor() {
    super();
    takeProperties(this);
    this.#form.element.addEventListener('submit', (event) => {
      event.preventDefault();
      if (!this.#form.blocked) void this.#send();
    });
    this.#form.element.addEventListener('input', ({ target }) => {
      if ((target as HTMLInputElement).name === 'email') this.#stopWaiting(); // each address has attempts of its own
    });
  }

  /** What it says; what is left out stays English. */
  get texts(): AllTexts {
    return this.#texts;
  }

  set texts(texts: Texts) {
    this.#form.texts = this.#texts = { ...english, ...texts };
  }

  connectedCallback(): void {
    adopt(this);
    if (this.#shown) return this.#count();
    this.#show(this.#asked, { email: this.email ?? '' });
    this.replaceChildren(this.#form.element);
  }

  disconnectedCallback(): void {
    clearInterval(this.#ticking);
  }

  attributeChangedCallback(name: string, before: string | null, value: string | null): void {
    if (!this.#shown || value === before) return; // frameworks set again what is so
    const { step, typed } = this.#form;
    if (name === 'email') {
      this.#stopWaiting();
      this.#form.fill({ email: value ?? '' });
    } else if (name === 'no-sign-up') this.#form.offerOther(!this.noSignUp);
    else if (this.#asked !== step) this.#show(this.#asked, { ...typed, password: '' });
  }

  /** Goes to the first field that is empty. */
  override focus(): void {
    this.#form.focus();
  }

  get #asked(): StepName {
    const { step } = this;
    return step && Object.hasOwn(steps, step) ? step : 'sign-in';
  }

  #show(step: StepName, typed: Partial<Typed>): void {
    this.#shown++;
    this.#stopWaiting();
    this.#form.show(step);
    this.#form.offerOther(!this.noSignUp);
    this.#form.fill(typed);
  }

  #go(step: StepName): void {
    this.#show(step, { ...this.#form.typed, password: '' });
    this.focus();
  }

  async #send(): Promise<void> {
    const form = this.#form;
    const shown = this.#shown;
    this.#stopWaiting();
    form.clear();
    form.setBusy(true);
    const outcome = await this.#run();
    if (shown === this.#shown) form.setBusy(false);
    if (outcome.kind === 'signed-in') this.#finish(outcome.tokens);
    else if (shown === this.#shown) this.#follow(outcome);
  }

  async #run(): Promise<Outcome> {
    try {
      return await steps[this.#form.step].run(this.methods ?? new Direct(this.issuer), this.#form.typed);
    } catch (unexpected) {
      console.error(unexpected);
      return { kind: 'refused', code: 'issuer-invalid' };
    }
  }

  #finish(tokens: Tokens | undefined): void {
    this.#form.fill({ password: '' });
    this.dispatchEvent(new CustomEvent('signed-in', { bubbles: true, composed: true, detail: tokens }));
  }

  #follow(outcome: Exclude<Outcome, { kind: 'signed-in' }>): void {
    if (outcome.kind === 'refused') return this.#refuse(outcome);
    this.#go(outcome.step);
    if (outcome.notice) this.#form.notice(this.#texts[outcome.notice]);
  }

  #refuse({ code, retryAfter, fields }: Refusal): void {
    if (fields && this.#form.refuse(this.#translated(fields))) return;
    const text = this.#texts[code === 'issuer-unreachable' && !navigator.onLine ? 'offline' : code];
    if (retryAfter) return this.#wait(text, retryAfter);
    this.#form.alert(text);
    if (code === 'credentials-wrong') this.#form.focus('password');
  }

  #translated(fields: Readonly<Record<string, string>>): Record<string, string> {
    const own: Readonly<Record<string, string>> = this.#texts;
    return Object.fromEntries(Object.entries(fields).map(([name, sentence]) => [name, own[sentence] ?? sentence]));
  }

  /** Counts the seconds down for eyes; ears are told how long it takes, and when it is over. */
  #wait(text: string, seconds: number): void {
    const end = performance.now() + seconds * 1000;
    const clock = create('span', { 'aria-hidden': 'true' });
    const [before, after] = this.#texts['try-again-in'].split('{}');
    const time = after === undefined ? [] : [clock, create('span', { class: 'kw-unseen' }, spoken(seconds, this.#texts.lang)), after];
    this.#tick = () => {
      const left = Math.ceil((end - performance.now()) / 1000);
      clock.textContent = digits(left);
      if (left > 0) return;
      this.#stopWaiting();
      this.#form.notice(this.#texts['try-again']);
    };
    this.#form.blocked = true;
    this.#form.alert(`${text} ${before}`, ...time);
    this.#count();
  }

  /** Counts while it is on a page. */
  #count(): void {
    if (!this.#tick || !this.isConnected) return;
    this.#ticking = setInterval(this.#tick, 1000);
    this.#tick();
  }

  #stopWaiting(): void {
    if (!this.#tick) return;
    clearInterval(this.#ticking);
    this.#tick = undefined;
    this.#form.blocked = false;
    this.#form.alert();
  }
}

/** Writes a time as clocks do: "0:42", "15:00", "2:00:00". */
function digits(seconds: number): string {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return (hours ? [hours, two(minutes), two(rest)] : [minutes, two(rest)]).join(':');
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** Writes a time out: "42 seconds", "15 minutes", "2 hours". */
function spoken(seconds: number, language: string): string {
  const [length, unit] = seconds < 90 ? [1, 'second'] : seconds < 5400 ? [60, 'minute'] : [3600, 'hour'];
  const write = (tag: string) => new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: 'long' }).format(Math.ceil(seconds / length));
  try {
    return write(language);
  } catch {
    return write(english.lang); // Intl refuses what is no BCP 47 tag, as "de_DE"
  }
}
