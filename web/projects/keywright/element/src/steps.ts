import type { Methods, Outcome } from './methods';

export type StepName = 'sign-in' | 'sign-up' | 'redirect';

/** A step that a link leads to. */
export type OtherStep = Exclude<StepName, 'redirect'>;

export type FieldName = 'email' | 'name' | 'password';

/** What somebody has typed. */
export type Typed = Readonly<Record<FieldName, string>>;

/** A field of a form; its label is the text of its name. */
export interface Field {
  readonly name: FieldName;
  /** Attributes of the input. */
  readonly input: Readonly<Record<string, string>>;
  readonly hint?: 'password-hint';
}

/** One form that somebody fills in; its texts begin with its name. */
export interface Step {
  readonly fields: readonly Field[];
  run(methods: Methods, typed: Typed): Promise<Outcome>;
  /** Where else one can go. */
  readonly other?: OtherStep;
}

const address = { type: 'email', required: '', dir: 'ltr', autocapitalize: 'none', spellcheck: 'false' };
const secret = { type: 'password', required: '', autocapitalize: 'none', spellcheck: 'false' };

const username: Field = { name: 'email', input: { ...address, autocomplete: 'username webauthn' } };
const password: Field = { name: 'password', input: { ...secret, autocomplete: 'current-password' } };

const name: Field = { name: 'name', input: { required: '', maxlength: '200', autocomplete: 'name' } };
const email: Field = { name: 'email', input: { ...address, autocomplete: 'username' } };
const newPassword: Field = {
  name: 'password', hint: 'password-hint',
  input: { ...secret, autocomplete: 'new-password', minlength: '8', passwordrules: 'minlength: 8; allowed: unicode;' },
};

/** All steps. A step more is a row here, and its texts. */
export const steps: Readonly<Record<StepName, Step>> = {
  'sign-in': {
    fields: [username, password],
    run: (methods, { email, password }) => methods.signIn({ email, password }),
    other: 'sign-up',
  },
  'sign-up': {
    fields: [name, email, newPassword],
    run: (methods, { name, email, password }) => methods.register({ name, email, password }),
    other: 'sign-in',
  },
  'redirect': {
    fields: [],
    run: async (methods) => methods.redirect?.() ?? { kind: 'next', step: 'sign-in' },
  },
};
