/** All that the element says, in English. Texts that begin with a step's name belong to it. */
export const english = {
  /** The language of these texts. BCP 47. */
  'lang': 'en',

  'sign-in.title': 'Sign in',
  'sign-in.button': 'Sign in',
  'sign-in.busy': 'Signing in…',
  /** What leads here from another step. */
  'sign-in.question': 'Already have an account?',
  'sign-in.link': 'Sign in',

  'sign-up.title': 'Create your account',
  'sign-up.button': 'Create account',
  'sign-up.busy': 'Creating your account…',
  'sign-up.question': 'New here?',
  'sign-up.link': 'Create an account',

  'redirect.title': 'Sign in',
  'redirect.button': 'Sign in',
  'redirect.busy': 'One moment…',

  'email': 'Email address',
  'name': 'Your name',
  'password': 'Password',
  'password-hint': 'At least 8 characters. A few words are easier to remember than one hard one.',
  'show-password': 'Show password',

  'account-ready': 'If this address is new here, your account is ready. Sign in to continue.',
  /** `{}` is how long that is. */
  'try-again-in': 'You can try again in {}.',
  'try-again': 'You can try again now.',

  'credentials-wrong': 'The email address or the password is not right.',
  'input-invalid': 'This cannot be used here. Change it and try again.',
  'too-many-attempts': 'There were too many failed attempts.',
  'registration-closed': 'Nobody can make an account here. Ask the people who run this site for one.',
  'origin-refused': 'Signing in does not work on this page. The people who run this site can fix that.',
  'issuer-invalid': 'Something is wrong with signing in here. Try again later.',
  'issuer-unreachable': 'We cannot reach the sign-in server. What you typed is still here: try again in a moment.',
  'offline': 'You are offline. What you typed is still here: try again once you are connected.',
};

/** What the element says. */
export type AllTexts = Readonly<Record<keyof typeof english, string>>;

/** Other texts than the English ones. A sentence of the server is translated by a text of that name. */
export type Texts = Partial<AllTexts> & Readonly<Record<string, string>>;
