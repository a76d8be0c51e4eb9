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
  readonly #inputs = new Map<FieldName, HTMLInputElement>();
  step: StepName = 'sign-in';
  #texts: AllTexts = english;

  constructor() {
    // Were it ever sent without us, the password would not be in a URL.
    this.element = create('form', { 'method': 'post', 'aria-labelledby': this.#title.id },
      this.#title, this.#status, this.#alert, this.#rows, this.#button, this.#aside);
  }

  /** @param leave leads to the step's other one; without it there is no way there */
  show(step: StepName, texts: AllTexts, leave?: () => void): void {
    const { fields, other } = steps[step];
    this.step = step;
    this.#texts = texts;
    this.element.lang = texts.lang;
    this.#title.textContent = texts[`${step}.title`];
    this.#inputs.clear();
    this.#rows.replaceChildren(...fields.map((field) => this.#row(field)));
    this.#aside.replaceChildren(...(other && leave ? [this.#way(other, leave)] : []));
    this.clear();
    this.busy = false;
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

  /** Sets what is read at once. */
  alert(...content: (Node | string)[]): void {
    this.#say(this.#alert, content, 'warning');
  }

  /** Sets what is read when there is time. */
  notice(...content: string[]): void {
    this.#say(this.#status, content, 'tick');
  }

  /** Whether it is being sent: then it cannot be sent again. */
  set busy(busy: boolean) {
    const text = this.#texts[busy ? (`${this.step}.busy` as const) : (`${this.step}.button` as const)];
    this.element.ariaBusy = String(busy);
    this.blocked = busy;
    this.#button.textContent = text;
    this.#status.replaceChildren(...(busy ? [create('span', { class: 'kw-unseen' }, text)] : []));
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
    const field = attributes['type'] === 'password' ? create('div', { class: 'kw-password' }, input, this.#eye()) : input;
    const row = create('div', {}, create('label', { for: id }, this.#texts[name]), field);
    if (hint) row.append(create('p', { class: 'kw-hint', id: hintId }, this.#texts[hint]));
    return row;
  }

  #eye(): HTMLElement {
    const text = this.#texts['show-password'];
    const eye = create('button', { 'type': 'button', 'class': 'kw-eye', 'aria-label': text, 'aria-pressed': 'false', 'title': text }, icon('eye', 'stroke'));
    eye.addEventListener('click', () => this.#reveal(eye.ariaPressed === 'false'));
    return eye;
  }

  #reveal(visible: boolean): void {
    const eye = this.element.querySelector('.kw-eye');
    if (!eye) return;
    eye.ariaPressed = String(visible);
    this.#inputs.get('password')!.type = visible ? 'text' : 'password';
  }

  #way(other: OtherStep, leave: () => void): HTMLElement {
    const link = create('button', { type: 'button', class: 'kw-link' }, this.#texts[`${other}.link`]);
    link.addEventListener('click', leave);
    return create('p', { class: 'kw-aside' }, this.#texts[`${other}.question`], ' ', link);
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
