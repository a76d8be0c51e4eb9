import { Component, signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { provideRouter, Router } from '@angular/router';
import { RouterTestingHarness } from '@angular/router/testing';
import { Keywright, keywrightGuard, KeywrightFeature, provideKeywright, withDirectSignIn, withRedirect } from '@keywright/angular';
import { beforeEach, expect, it, vi } from 'vitest';
import { FakeIssuer, startIssuer } from '../../spec/issuer';
import { LEAVE } from '../../src/lib/redirect';
import { KeywrightSignIn } from './public-api';

@Component({ template: 'Notes' })
class Notes {}

@Component({
  imports: [KeywrightSignIn],
  template: `<keywright-sign-in [step]="step()" [email]="'ada@example.com'" [noSignUp]="noSignUp()" [texts]="texts()" (signedIn)="greeted = true" />`,
})
class Login {
  readonly step = signal<'sign-in' | 'sign-up'>('sign-in');
  readonly noSignUp = signal(false);
  readonly texts = signal<Record<string, string>>({});
  greeted = false;
}

let issuer: FakeIssuer;
let left: URL[];

beforeEach(async () => {
  left = [];
  issuer = await startIssuer();
});

/** An app whose page /login has the form. */
class App {
  readonly #harness: RouterTestingHarness;

  private constructor(harness: RouterTestingHarness, readonly login: Login) {
    this.#harness = harness;
  }

  static async open(url = '/login', feature: KeywrightFeature = withDirectSignIn()): Promise<App> {
    TestBed.configureTestingModule({
      providers: [
        { provide: LEAVE, useValue: (to: URL) => void left.push(to) },
        provideKeywright({ issuer: 'https://id.example.com', clientId: 'app' }, feature),
        provideRouter([{ path: 'login', component: Login }, { path: 'notes', component: Notes, canActivate: [keywrightGuard] }]),
      ],
    });
    await TestBed.inject(Keywright).ready();
    const harness = await RouterTestingHarness.create(url);
    return new App(harness, harness.routeDebugElement!.componentInstance);
  }

  get element(): HTMLElement {
    return this.#harness.routeNativeElement!;
  }

  text(selector: string): string {
    return this.element.querySelector(selector)?.textContent ?? '';
  }

  detectChanges(): void {
    this.#harness.detectChanges();
  }

  /** Types, and sends it. */
  send(typed: Record<string, string>): void {
    for (const [name, value] of Object.entries(typed)) this.element.querySelector<HTMLInputElement>(`input[name="${name}"]`)!.value = value;
    this.element.querySelector('form')!.requestSubmit();
  }
}

it('signs in, and the app goes on', async () => {
  const app = await App.open();
  app.send({ password: 'right' });
  await vi.waitFor(() => expect(app.login.greeted).toBe(true));
  expect(TestBed.inject(Keywright).user()?.name).toBe('Ada Lovelace');
});

it('brings people to where the guard has stopped them', async () => {
  const app = await App.open('/notes');
  expect(TestBed.inject(Router).url).toBe('/login?returnTo=%2Fnotes');
  app.send({ email: 'ada@example.com', password: 'right' });
  await vi.waitFor(() => expect(TestBed.inject(Router).url).toBe('/notes'));
  expect(app.element.textContent).toBe('Notes');
});

it('says what Keywright refused', async () => {
  const app = await App.open();
  app.send({ password: 'wrong' });
  await vi.waitFor(() => expect(app.text('[role=alert]')).toBe('The email address or the password is not right.'));
  issuer.instead = () => new Response('', { status: 429, headers: { 'Retry-After': '42' } });
  app.send({});
  await vi.waitFor(() => expect(app.text('[role=alert] .kw-unseen')).toBe('42 seconds'));
  expect(app.login.greeted).toBe(false);
});

it('registers somebody, and says at which field it is refused', async () => {
  const app = await App.open();
  app.login.step.set('sign-up');
  app.detectChanges();
  issuer.instead = (path) => (path === '/register' ? Response.json({ fields: { password: 'Too common.' } }, { status: 400 }) : undefined);
  app.send({ name: 'Ada', password: 'password' });
  await vi.waitFor(() => expect(app.element.querySelector('input[name=password]')!.getAttribute('aria-invalid')).toBe('true'));
  issuer.instead = () => undefined;
  app.send({ password: 'correct horse' });
  await vi.waitFor(() => expect(app.text('[role=status]')).toContain('your account is ready'));
});

it('tells developers what they can mend', async () => {
  const log = vi.spyOn(console, 'error').mockReturnValue();
  issuer.instead = () => Response.json({ error: 'origin_not_allowed' }, { status: 403 });
  const app = await App.open();
  app.send({ password: 'right' });
  await vi.waitFor(() => expect(app.text('[role=alert]')).toMatch(/^Signing in does not work on this page/));
  expect(log.mock.lastCall![0].message).toContain('direct_origins');
});

it('passes on what the app says', async () => {
  const app = await App.open();
  expect(app.element.querySelector<HTMLInputElement>('input[name=email]')!.value).toBe('ada@example.com');
  app.login.texts.set({ 'sign-in.title': 'Anmelden' });
  app.login.noSignUp.set(true);
  app.detectChanges();
  await vi.waitFor(() => expect(app.text('h2')).toBe('Anmelden'));
  expect(app.element.querySelector('.kw-link')).toBeNull();
});

it('is one button where people sign in at the issuer', async () => {
  const app = await App.open('/login', withRedirect());
  expect(app.element.querySelectorAll('input, button')).toHaveLength(1);
  app.send({});
  await vi.waitFor(() => expect(left).toHaveLength(1));
  expect(left[0].searchParams.get('login_hint')).toBe('ada@example.com');
  expect(app.text('button')).toBe('One moment…');
});

it('asks for a password nowhere, not for a moment, where people sign in at the issuer', async () => {
  const made = vi.spyOn(document, 'createElement');
  await App.open('/login', withRedirect({ page: '/login' }));
  expect(made.mock.calls.map(([name]) => name)).not.toContain('input');
});
