import { create, icon } from './dom';
import { Field, FieldName, OtherStep, StepName, steps, Typed } from './steps';
import { AllTexts, english } from './texts';

let forms = 0;

/** The form: what is seen of a step, and what was typed. It stays from step to step, so that what it says is heard. */
export class Form {
  readonly element: HTMLFormElement;
  readonly #id = `keywright-${++forms}-`;
  readonly #title = create('h2', { id: this.#id + 'title' });
  readonly #status = create('div', { role: 'status' });
  readonly #alert = create('div', { role: 'alert' });
  readonly #rows = create('div');
  readonly #button = create('button', { class: 'kw-primary' });
  readonly #aside = create('div');
  readonly #eye = create('button', { type: 'button', class: 'kw-eye' }, icon('eye', 'stroke'));
  readonly #inputs = new Map<FieldName, HTMLInputElement>();
  /** Which text stands where. */
  readonly #words = new Map<HTMLElement, keyof AllTexts>();
  readonly #leave: (other: OtherStep) => void;
  step: StepName = 'sign-in';
  #texts!: AllTexts;

  /** @param leave leads to a step's other one */
  constructor(leave: (other: OtherStep) => void) {
    this.#leave = leave;
    // Were it ever sent without us, the password would not be in a URL.
    this.element = create('form', { 'method': 'post', 'dir': 'auto', 'aria-labelledby': this.#title.id },
      this.#title, this.#status, this.#alert, this.#rows, this.#button, this.#aside);
    this.#eye.addEventListener('click', () => this.#reveal(this.#eye.ariaPressed === 'false'));
    this.texts = english;
  }

  show(step: StepName): void {
    const { fields, other } = steps[step];
    this.step = step;
    this.#words.clear();
    this.#inputs.clear();
    this.#write(this.#title, `${step}.title`);
    this.#rows.replaceChildren(...fields.map((field) => this.#row(field)));
    this.#aside.replaceChildren(...(other ? [this.#way(other)] : []));
    this.clear();
    this.setBusy(false);
  }

  /** Other words for the same form: what is typed, under way or has been said stays. */
  set texts(texts: AllTexts) {
    this.#texts = texts;
    this.element.lang = texts.lang;
    this.#eye.ariaLabel = this.#eye.title = texts['show-password'];
    for (const [element, name] of this.#words) this.#write(element, name);
  }

  /** Shows the way to the step's other one, or hides it. */
  offerOther(visible: boolean): void {
    if (visible) this.element.append(this.#aside);
    else this.#aside.remove();
  }

  get typed(): Typed {
    return { email: this.#value('email'), name: this.#value('name'), password: this.#value('password') };
  }

  fill(typed: Partial<Typed>): void {
    for (const [name, input] of this.#inputs) input.value = typed[name] ?? input.value;
  }

  /** Goes to a field, or to the first that is empty. */
  focus(name?: FieldName): void {
    const inputs = [...this.#inputs.values()];
    const input = name ? this.#inputs.get(name) : (inputs.find(({ value }) => !value) ?? inputs[0]);
    (input ?? this.#button).focus();
    if (name) input?.select();
  }

  /** Sets what is announced at once. */
  alert(...content: (Node | string)[]): void {
    this.#say(this.#alert, content, 'warning');
  }

  /** Sets what is announced politely. */
  notice(...content: string[]): void {
    this.#say(this.#status, content, 'tick');
  }

  /** Says whether it is being sent: then it cannot be sent again. */
  setBusy(busy: boolean): void {
    this.blocked = busy;
    this.#write(this.#button, busy ? `${this.step}.busy` : `${this.step}.button`);
    this.#status.replaceChildren(...(busy ? [create('span', { class: 'kw-unseen' }, this.#button.textContent)] : []));
  }

  /** Whether it can be sent. The button keeps the focus. */
  get blocked(): boolean {
    return this.#button.ariaDisabled === 'true';
  }

  set blocked(blocked: boolean) {
    this.#button.ariaDisabled = String(blocked);
  }

  /** Forgets what the last attempt brought; a password is not shown while it is sent, nor kept as common text. */
  clear(): void {
    this.alert();
    this.notice();
    for (const name of this.#inputs.keys()) this.#mark(name, '');
    this.#reveal(false);
  }

  /** Says beside the fields what is wrong, and goes to the first. @returns whether there was one */
  refuse(problems: Readonly<Record<string, string>>): boolean {
    const refused = [...this.#inputs.keys()].filter((name) => name in problems);
    for (const name of refused) this.#mark(name, problems[name] || this.#texts['input-invalid']);
    if (refused.length) this.focus(refused[0]);
    return refused.length > 0;
  }

  #value(name: FieldName): string {
    return this.#inputs.get(name)?.value ?? '';
  }

  #row({ name, input: attributes, hint }: Field): HTMLElement {
    const id = this.#id + name;
    const hintId = hint && `${id}-hint`;
    const input = create('input', { ...attributes, id, name, 'aria-describedby': hintId });
    this.#inputs.set(name, input);
    const field = attributes['type'] === 'password' ? create('div', { class: 'kw-password' }, input, this.#eye) : input;
    const row = create('div', {}, this.#write(create('label', { for: id }), name), field);
    if (hint) row.append(this.#write(create('p', { class: 'kw-hint', id: hintId }), hint));
    return row;
  }

  #write(element: HTMLElement, name: keyof AllTexts): HTMLElement {
    const text = this.#texts[name];
    this.#words.set(element, name);
    if (element.textContent !== text) element.textContent = text;
    return element;
  }

  #reveal(visible: boolean): void {
    const password = this.#inputs.get('password');
    this.#eye.ariaPressed = String(visible);
    if (password) password.type = visible ? 'text' : 'password';
  }

  #way(other: OtherStep): HTMLElement {
    const link = create('button', { type: 'button', class: 'kw-link' });
    link.addEventListener('click', () => this.#leave(other));
    return create('p', { class: 'kw-aside' }, this.#write(create('span'), `${other}.question`), ' ', this.#write(link, `${other}.link`));
  }

  #say(region: HTMLElement, content: (Node | string)[], picture: 'warning' | 'tick'): void {
    region.replaceChildren(...(content.length ? [create('p', {}, icon(picture), create('span', {}, ...content))] : []));
  }

  #mark(name: FieldName, problem: string): void {
    const input = this.#inputs.get(name)!;
    const id = `${input.id}-problem`;
    this.element.querySelector(`#${id}`)?.remove();
    const hint = this.element.querySelector(`#${input.id}-hint`)?.id;
    if (problem) (input.closest('.kw-password') ?? input).after(create('p', { class: 'kw-problem', id }, icon('warning'), create('span', {}, problem)));
    input.ariaInvalid = problem ? 'true' : null;
    const described = [problem && id, hint].filter(Boolean).join(' ');
    if (described) input.setAttribute('aria-describedby', described);
    else input.removeAttribute('aria-describedby');
  }
}
