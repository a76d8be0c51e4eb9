import { beforeEach, describe, expect, it, vi } from 'vitest';
import { KeywrightSignInElement, Methods, Outcome, Tokens } from './public-api';

const issuer = 'https://id.example.com';
const wrong: Outcome = { kind: 'refused', code: 'credentials-wrong' };

let answer: () => Response | Promise<Response>;
let sent: { url: string; body: unknown }[];

beforeEach(() => {
  document.body.replaceChildren();
  sent = [];
  answer = () => Response.json({ auth: true, token: 'access', refresh_token: 'refresh', expires_in: 600 });
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    sent.push({ url, body: init.body && JSON.parse(String(init.body)) });
    return answer();
  });
});

/** The widget on a page, as a person meets it. */
class Widget {
  readonly element: KeywrightSignInElement;
  readonly signedIn: Tokens[] = [];

  constructor(attributes = `issuer="${issuer}"`, methods?: Partial<Methods>) {
    document.body.innerHTML = `<keywright-sign-in ${attributes}></keywright-sign-in>`;
    this.element = document.querySelector('keywright-sign-in')!;
    if (methods) this.element.methods = methods as Methods;
    document.body.addEventListener('signed-in', ({ detail }) => this.signedIn.push(detail!));
  }

  field(name: string): HTMLInputElement {
    return this.element.querySelector(`input[name="${name}"]`)!;
  }

  text(selector: string): string {
    return this.element.querySelector(selector)?.textContent ?? '';
  }

  get button(): HTMLButtonElement {
    return this.element.querySelector('.kw-primary')!;
  }

  get isBlocked(): boolean {
    return this.button.getAttribute('aria-disabled') === 'true';
  }

  fill(typed: Record<string, string>): this {
    for (const [name, value] of Object.entries(typed)) this.field(name).value = value;
    return this;
  }

  send(): void {
    this.element.querySelector('form')!.requestSubmit();
  }

  /** Sends what is typed, and waits for what comes of it. */
  async answered(): Promise<this> {
    this.send();
    await vi.waitFor(() => expect(this.button.textContent).not.toMatch(/…$/));
    return this;
  }
}

const ada = { email: 'ada@example.com', password: 'correct horse' };

function signingIn(attributes?: string, methods?: Partial<Methods>): Widget {
  return new Widget(attributes, methods).fill(ada);
}

describe('signing in', () => {
  it('gives the tokens to the page, and forgets the password', async () => {
    const widget = await signingIn().answered();
    expect(sent).toEqual([{ url: 'https://id.example.com/login', body: ada }]);
    expect(widget.signedIn).toEqual([{ accessToken: 'access', refreshToken: 'refresh', expiresIn: 600 }]);
    expect(widget.field('password').value).toBe('');
  });

  it('keeps what was typed when it is wrong, and waits at the password', async () => {
    answer = () => Response.json({ auth: false, token: null }, { status: 401 });
    const widget = await signingIn().answered();
    expect(widget.text('[role=alert]')).toBe('The email address or the password is not right.');
    expect(widget.field('email').value).toBe(ada.email);
    expect(document.activeElement).toBe(widget.field('password'));
    expect(widget.signedIn).toEqual([]);
  });

  it('is sent once, and says that it is under way', async () => {
    let finish!: (response: Response) => void;
    answer = () => new Promise((resolve) => (finish = resolve));
    const widget = signingIn();
    widget.send();
    widget.send();
    expect(sent).toHaveLength(1);
    expect(widget.isBlocked).toBe(true);
    expect(widget.button.textContent).toBe('Signing in…');
    finish(Response.json({ token: 'access' }));
    await vi.waitFor(() => expect(widget.isBlocked).toBe(false));
    expect(widget.button.textContent).toBe('Sign in');
  });

  it('hides a password that was shown before it is sent', async () => {
    const widget = signingIn();
    const eye = widget.element.querySelector<HTMLButtonElement>('.kw-eye')!;
    eye.click();
    expect([widget.field('password').type, eye.getAttribute('aria-pressed')]).toEqual(['text', 'true']);
    widget.send();
    expect([widget.field('password').type, eye.getAttribute('aria-pressed')]).toEqual(['password', 'false']);
  });

  it('reaches the page although the form has become another one meanwhile', async () => {
    let finish!: (outcome: Outcome) => void;
    const widget = signingIn('', { signIn: () => new Promise((resolve) => (finish = resolve)) });
    widget.send();
    widget.element.texts = { 'sign-in.title': 'Anmelden' };
    finish({ kind: 'signed-in', tokens: { accessToken: 'access' } });
    await vi.waitFor(() => expect(widget.signedIn).toHaveLength(1));
  });

  it('says nothing of a refusal to somebody who has gone on', async () => {
    let finish!: (outcome: Outcome) => void;
    const widget = signingIn('', { signIn: () => new Promise((resolve) => (finish = resolve)) });
    widget.send();
    widget.element.querySelector<HTMLButtonElement>('.kw-link')!.click();
    finish(wrong);
    await new Promise((done) => setTimeout(done)); // after all that was promised
    expect([widget.text('h2'), widget.text('[role=alert]')]).toEqual(['Create your account', '']);
  });

  it('puts the password nowhere but into the body', async () => {
    const widget = await signingIn().answered();
    expect(widget.element.outerHTML).not.toContain(ada.password);
    expect(JSON.stringify([widget.signedIn, sent.map(({ url }) => url)])).not.toContain(ada.password);
    expect(widget.element.querySelector('form')!.method).toBe('post');
  });
});

describe('creating an account', () => {
  const person = { name: 'Ada', ...ada };

  it('leads to signing in with the same address, and promises nothing that may be false', async () => {
    answer = () => Response.json({ status: 'ok' });
    const widget = await new Widget(`issuer="${issuer}" step="sign-up"`).fill(person).answered();
    expect(sent).toEqual([{ url: 'https://id.example.com/register', body: person }]);
    expect(widget.text('h2')).toBe('Sign in');
    expect(widget.text('[role=status]')).toBe('If this address is new here, your account is ready. Sign in to continue.');
    expect([widget.field('email').value, widget.field('password').value]).toEqual([ada.email, '']);
    expect(document.activeElement).toBe(widget.field('password'));
  });

  it('says beside each field why it is refused, and goes to the first', async () => {
    answer = () => Response.json({ fields: { password: 'Too common.', email: 'No address.' } }, { status: 400 });
    const widget = await new Widget(`issuer="${issuer}" step="sign-up"`).fill(person).answered();
    const { email, password } = { email: widget.field('email'), password: widget.field('password') };
    expect(document.activeElement).toBe(email);
    expect([email.getAttribute('aria-invalid'), described(email)]).toEqual(['true', 'No address.']);
    expect(described(password)).toMatch(/^Too common\. At least 8/);
    expect(password.value).toBe(person.password);
    answer = () => Response.json({ fields: { password: 'Too common.' } }, { status: 400 });
    await widget.answered();
    expect([email.getAttribute('aria-invalid'), email.getAttribute('aria-describedby')]).toEqual([null, null]);
  });

  it('is one step away, and takes the address along but not the password', () => {
    const widget = signingIn();
    widget.element.querySelector<HTMLButtonElement>('.kw-link')!.click();
    expect(widget.text('h2')).toBe('Create your account');
    expect([widget.field('email').value, widget.field('password').value]).toEqual([ada.email, '']);
    expect(document.activeElement).toBe(widget.field('name'));
  });

  it.each([['no-sign-up', false], ['no-sign-up="true"', false], ['no-sign-up="false"', true], ['', true]])(
    'is offered in <keywright-sign-in %s>: %s', (attributes, offered) => {
      expect(new Widget(attributes).element.querySelector('.kw-link') !== null).toBe(offered);
    });
});

/** What a screen reader says about a field beside its label. */
function described(field: HTMLInputElement): string {
  return field.getAttribute('aria-describedby')!.split(' ').map((id) => document.getElementById(id)!.textContent).join(' ');
}

/** Types a value, as people do: pages hear of it. */
function type(field: HTMLInputElement, value: string): void {
  field.value = value;
  field.dispatchEvent(new Event('input', { bubbles: true }));
}

describe('a refusal', () => {
  it.each<[string, () => Response, string, RegExp?]>([
    ['of the server that is broken', () => new Response('', { status: 502 }), 'We cannot reach the sign-in server. What you typed is still here: try again in a moment.'],
    ['to register anybody', () => Response.json({ error: 'registration_closed' }, { status: 403 }), 'Nobody can make an account here. Ask the people who run this site for one.'],
    ['of the origin', () => Response.json({ error: 'origin_not_allowed' }, { status: 403 }), 'Signing in does not work on this page. The people who run this site can fix that.', /direct_origins/],
    ['of the whole API', () => new Response('<h1>Not found</h1>', { status: 404 }), 'Something is wrong with signing in here. Try again later.', /login answered 404/],
    ['that is a success without a token', () => new Response('<h1>Hello</h1>'), 'Something is wrong with signing in here. Try again later.', /no token/],
  ])('%s has a text for people, and one for developers where they can help', async (_, refusal, text, advice) => {
    const log = vi.spyOn(console, 'error').mockReturnValue();
    answer = refusal;
    const widget = await signingIn().answered();
    expect(widget.text('[role=alert]')).toBe(text);
    expect([widget.field('email').value, widget.field('password').value]).toEqual([ada.email, ada.password]);
    if (advice) expect(log.mock.lastCall![0]).toMatch(advice);
    else expect(log).not.toHaveBeenCalled();
  });

  it('to speak to this page at all is told from an outage: what all may read can be read', async () => {
    const log = vi.spyOn(console, 'error').mockReturnValue();
    answer = () => (sent.length === 1 ? Promise.reject(new TypeError('Failed to fetch')) : Response.json({ issuer }));
    const widget = await signingIn().answered();
    expect(widget.text('[role=alert]')).toMatch(/^Signing in does not work on this page/);
    expect(log.mock.lastCall![0]).toContain('lets no page of https://app.example.com sign in');
  });

  it('by nobody, since nothing can be reached, says so', async () => {
    answer = () => Promise.reject(new TypeError('Failed to fetch'));
    expect((await signingIn().answered()).text('[role=alert]')).toMatch(/^We cannot reach/);
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);
    expect((await signingIn().answered()).text('[role=alert]')).toMatch(/^You are offline/);
  });

  it.each(['', 'issuer=""', 'issuer="/"', 'issuer="http://id.example.com"', 'issuer="http://localhost.example.com"', 'issuer="ftp://localhost"'])(
    'to send a password to <keywright-sign-in %s>', async (attributes) => {
      const log = vi.spyOn(console, 'error').mockReturnValue();
      const widget = await signingIn(attributes).answered();
      expect(sent).toEqual([]);
      expect(widget.text('[role=alert]')).toMatch(/^Something is wrong/);
      expect(log.mock.lastCall![0]).toContain('https');
    });

  it.each(['https://id.example.com/', 'http://localhost:10101', 'http://id.localhost:1/'])('is none for %s', async (url) => {
    await signingIn(`issuer="${url}"`).answered();
    expect(sent[0].url).toBe(url.replace(/\/$/, '') + '/login');
  });

  it('of methods that throw is a text too', async () => {
    const log = vi.spyOn(console, 'error').mockReturnValue();
    const widget = await signingIn('', { signIn: () => Promise.reject(new Error('the guard broke')) }).answered();
    expect(widget.text('[role=alert]')).toMatch(/^Something is wrong/);
    expect(log.mock.lastCall![0]).toMatchObject({ message: 'the guard broke' });
  });
});

describe('too many attempts', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    answer = () => Response.json({ error: 'too_many_attempts' }, { status: 429, headers: { 'Retry-After': '901' } });
    return () => vi.useRealTimers();
  });

  const visible = '[role=alert] [aria-hidden=true]:not(svg)';
  const heard = '[role=alert] .kw-unseen';

  it('are counted down for eyes alone, and then it can be tried again', async () => {
    const widget = await signingIn().answered();
    expect([widget.text(visible), widget.text(heard), widget.isBlocked]).toEqual(['15:01', '16 minutes', true]);
    widget.send();
    expect(sent).toHaveLength(1);
    vi.advanceTimersByTime(842_000);
    expect([widget.text(visible), widget.text(heard), widget.isBlocked]).toEqual(['0:59', '16 minutes', true]);
    vi.advanceTimersByTime(58_900);
    expect(widget.isBlocked).toBe(true);
    vi.advanceTimersByTime(1000);
    expect([widget.text('[role=alert]'), widget.text('[role=status]'), widget.isBlocked]).toEqual(['', 'You can try again now.', false]);
    expect(vi.getTimerCount()).toBe(0);
    expect(widget.field('password').value).toBe(ada.password);
  });

  it('are no reason not to create an account', async () => {
    const widget = await signingIn().answered();
    widget.element.querySelector<HTMLButtonElement>('.kw-link')!.click();
    expect([widget.text('[role=alert]'), widget.isBlocked]).toEqual(['', false]);
    vi.advanceTimersByTime(902_000);
    expect(widget.text('[role=status]')).toBe('');
  });

  it('are not counted for a page that is gone, and hold where the element has moved to', async () => {
    const widget = await signingIn().answered();
    widget.element.remove();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(842_000);
    document.body.append(widget.element);
    expect([widget.text(visible), widget.isBlocked]).toEqual(['0:59', true]);
    widget.element.remove();
    vi.advanceTimersByTime(59_000);
    document.body.append(widget.element);
    expect([widget.text('[role=alert]'), widget.text('[role=status]'), widget.isBlocked]).toEqual(['', 'You can try again now.', false]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([['89', '1:29', '89 seconds'], ['3599', '59:59', '60 minutes'], ['100000', '27:46:40', '28 hours']])(
    'are written in the units that fit %s seconds', async (retryAfter, seen, said) => {
      answer = () => new Response('', { status: 429, headers: { 'Retry-After': retryAfter } });
      const widget = await signingIn().answered();
      expect([widget.text(visible), widget.text(heard)]).toEqual([seen, said]);
    });

  it.each(['de_DE', ''])('are written in English where the texts are of the language "%s", which is none', async (lang) => {
    const widget = signingIn();
    widget.element.texts = { lang };
    await widget.answered();
    expect([widget.text(visible), widget.text(heard), widget.isBlocked]).toEqual(['15:01', '16 minutes', true]);
  });

  it('have no clock in a text without a place for it', async () => {
    const widget = signingIn();
    widget.element.texts = { 'too-many-attempts': 'Zu viele Versuche.', 'try-again-in': 'Bitte warten.' };
    await widget.answered();
    expect([widget.text('[role=alert]'), widget.isBlocked]).toEqual(['Zu viele Versuche. Bitte warten.', true]);
    vi.advanceTimersByTime(901_000);
    expect(widget.isBlocked).toBe(false);
  });

  it.each<[string, (widget: Widget) => void]>([
    ['types', (widget) => type(widget.field('email'), 'grace@example.com')],
    ['is given', (widget) => widget.element.setAttribute('email', 'grace@example.com')],
  ])('hold nobody up who %s another address', async (_, change) => {
    const widget = await signingIn().answered();
    type(widget.field('password'), 'another one');
    expect(widget.isBlocked).toBe(true);
    change(widget);
    expect([widget.text('[role=alert]'), widget.isBlocked, vi.getTimerCount()]).toEqual(['', false, 0]);
    widget.send();
    expect(sent[1].body).toEqual({ email: 'grace@example.com', password: 'another one' });
  });

  it('hold who is given the same address again, and what was typed stays', async () => {
    const widget = await signingIn(`issuer="${issuer}" email="grace@example.com"`).answered();
    widget.element.email = 'grace@example.com';
    expect([widget.field('email').value, widget.text(visible), widget.isBlocked]).toEqual([ada.email, '15:01', true]);
  });

  it('have a text where nobody says how long', async () => {
    answer = () => new Response('', { status: 429 });
    const widget = await signingIn().answered();
    expect([widget.text('[role=alert]'), widget.isBlocked]).toEqual(['There were too many failed attempts.', false]);
  });
});

describe('a page', () => {
  it('begins with an address, and with another step', () => {
    const widget = new Widget('step="sign-up" email="ada@example.com"');
    expect([widget.text('h2'), widget.field('email').value]).toEqual(['Create your account', 'ada@example.com']);
    widget.element.setAttribute('step', 'sign-in');
    widget.element.setAttribute('email', 'grace@example.com');
    expect([widget.text('h2'), widget.field('email').value]).toEqual(['Sign in', 'grace@example.com']);
    widget.element.setAttribute('step', 'toString');
    expect(widget.text('h2')).toBe('Sign in');
  });

  it('replaces texts at any time, and what was typed stays', async () => {
    const widget = signingIn('', { signIn: async () => ({ kind: 'refused', code: 'input-invalid', fields: { email: 'No address.' } }) });
    widget.element.texts = { 'lang': 'de', 'sign-in.title': 'Anmelden', 'No address.': 'Keine Adresse.' };
    expect([widget.text('h2'), widget.element.querySelector('form')!.lang, widget.text('.kw-primary')]).toEqual(['Anmelden', 'de', 'Sign in']);
    expect(widget.field('password').value).toBe(ada.password);
    expect(described((await widget.answered()).field('email'))).toBe('Keine Adresse.');
  });

  it('changes nothing but words while a sign-in is under way, and nothing that was said', async () => {
    let finish!: (outcome: Outcome) => void;
    const signIn = vi.fn(() => new Promise<Outcome>((resolve) => (finish = resolve)));
    const widget = signingIn('', { signIn });
    const password = widget.field('password');
    password.focus();
    widget.send();
    widget.element.texts = { 'password': 'Kennwort', 'sign-in.busy': 'Einen Moment…', 'show-password': 'Zeigen', 'sign-up.link': 'Neues Konto' };
    widget.element.setAttribute('no-sign-up', '');
    expect(widget.element.querySelector('.kw-link')).toBeNull();
    widget.element.removeAttribute('no-sign-up');
    expect([widget.text('.kw-primary'), widget.text('.kw-link'), password.labels![0].textContent]).toEqual(['Einen Moment…', 'Neues Konto', 'Kennwort']);
    expect(widget.element.querySelector('.kw-eye')!.ariaLabel).toBe('Zeigen');
    expect(widget.field('password')).toBe(password);
    expect(document.activeElement).toBe(password);
    widget.send();
    expect(signIn).toHaveBeenCalledTimes(1);
    finish(wrong);
    await vi.waitFor(() => expect(widget.text('[role=alert]')).toMatch(/not right/));
    widget.element.texts = {};
    expect([widget.text('[role=alert]'), widget.text('.kw-primary')]).toEqual([expect.stringMatching(/not right/), 'Sign in']);
  });

  it('touches nothing with texts that it has given already', async () => {
    const widget = new Widget();
    const changes = new MutationObserver(() => undefined);
    changes.observe(widget.element, { subtree: true, childList: true, characterData: true });
    widget.element.texts = {};
    expect(changes.takeRecords()).toEqual([]);
  });

  it('loses no password by naming the step that is shown', () => {
    const widget = signingIn();
    widget.element.setAttribute('step', 'sign-in');
    expect(widget.field('password').value).toBe(ada.password);
  });

  it('leaves who has gone to another step there by naming the first one again', () => {
    const widget = new Widget('step="sign-in"');
    widget.element.querySelector<HTMLButtonElement>('.kw-link')!.click();
    widget.element.step = 'sign-in';
    expect(widget.text('h2')).toBe('Create your account');
  });

  it('that offers a redirect and has no way to do it gets the form', async () => {
    const widget = await new Widget(`issuer="${issuer}" step="redirect"`).answered();
    expect([widget.text('h2'), widget.text('[role=alert]')]).toEqual(['Sign in', '']);
    expect(document.activeElement).toBe(widget.field('email'));
  });

  it('hears of a sign-in although the element is in the shadow of another', async () => {
    const widget = signingIn();
    const shadow = document.body.appendChild(document.createElement('div')).attachShadow({ mode: 'open' });
    shadow.append(widget.element);
    await widget.answered();
    expect(widget.signedIn).toHaveLength(1);
  });

  it('may set properties before the element is known', () => {
    class Late extends KeywrightSignInElement {}
    document.body.innerHTML = '<late-sign-in></late-sign-in>';
    const element = document.querySelector('late-sign-in') as Late;
    const methods = { signIn: async () => wrong, register: async () => wrong };
    Object.assign(element, { methods, texts: { 'sign-up.title': 'Neues Konto' }, step: 'sign-up', noSignUp: true });
    customElements.define('late-sign-in', Late);
    expect([element.querySelector('h2')!.textContent, element.methods, element.querySelector('.kw-link')]).toEqual(['Neues Konto', methods, null]);
    element.methods = undefined;
    expect(Object.keys(element)).toEqual([]);
  });

  it.each(['issuer', 'step', 'email', 'noSignUp', 'methods', 'texts'])('may set %s by any framework, since the class has it', (name) => {
    expect(Object.getOwnPropertyDescriptor(KeywrightSignInElement.prototype, name)?.set).toBeTypeOf('function');
  });

  it('may set properties instead of attributes, and read either', async () => {
    const widget = new Widget('');
    Object.assign(widget.element, { issuer, email: ada.email, step: 'sign-up', noSignUp: true });
    expect([widget.text('h2'), widget.field('email').value, widget.element.querySelector('.kw-link')]).toEqual(['Create your account', ada.email, null]);
    expect([widget.element.getAttribute('step'), widget.element.hasAttribute('no-sign-up')]).toEqual(['sign-up', true]);
    Object.assign(widget.element, { step: undefined, email: null, noSignUp: false });
    expect(widget.element.getAttributeNames()).toEqual(['issuer']);
    expect([widget.element.step, widget.element.email, widget.element.noSignUp]).toEqual([null, null, false]);
    expect([widget.text('h2'), widget.field('email').value, widget.text('.kw-link')]).toEqual(['Sign in', '', 'Create an account']);
    await widget.fill(ada).answered();
    expect(sent[0].url).toBe('https://id.example.com/login');
  });

  it('moves it without losing what was typed', () => {
    const widget = signingIn();
    document.body.append(document.createElement('main'));
    document.querySelector('main')!.append(widget.element);
    expect([widget.field('email').value, widget.element.children.length]).toEqual([ada.email, 1]);
  });

  it('may have two of them', () => {
    document.body.innerHTML = '<keywright-sign-in></keywright-sign-in><keywright-sign-in></keywright-sign-in>';
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

it('can be imported on a server, and twice in one page', async () => {
  vi.resetModules();
  await import('./public-api');
  vi.resetModules();
  for (const name of ['HTMLElement', 'customElements', 'document', 'CSSStyleSheet']) vi.stubGlobal(name, undefined);
  expect((await import('./public-api')).KeywrightSignInElement).toBeTypeOf('function');
});
