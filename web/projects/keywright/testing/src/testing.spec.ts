import { HttpClient, provideHttpClient, withInterceptors } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { Component } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { provideRouter, Router, Routes } from '@angular/router';
import { RouterTestingHarness } from '@angular/router/testing';
import { Keywright, keywrightGuard, keywrightInterceptor, requireAuthTime, requireScope } from '@keywright/angular';
import { expect, it, vi } from 'vitest';
import { KeywrightTesting, KeywrightTestingOptions, provideKeywrightTesting } from './public-api';

@Component({ template: 'Hello' })
class Hello {}

@Component({ template: 'Sign in here' })
class SignInPage {}

const routes: Routes = [
  { path: 'hello', component: Hello, canActivate: [keywrightGuard] },
  { path: 'admin', component: Hello, canActivate: [requireScope('admin')] },
  { path: 'payments', component: Hello, canActivate: [requireAuthTime(300)] },
  { path: 'login', component: SignInPage },
];

const ada = { id: '1', name: 'Ada' };
const password = 'analytical engine';

function provide(options: KeywrightTestingOptions): KeywrightTesting {
  TestBed.configureTestingModule({
    providers: [
      provideKeywrightTesting(options),
      provideRouter(routes),
      provideHttpClient(withInterceptors([keywrightInterceptor])),
      provideHttpClientTesting(),
    ],
  });
  return TestBed.inject(KeywrightTesting);
}

/** What is shown to whoever opens a route. */
async function shown(url: string): Promise<string | undefined> {
  const harness = await RouterTestingHarness.create(url);
  return harness.routeNativeElement?.textContent;
}

it('lets a test begin with somebody signed in', async () => {
  provide({ user: ada });
  expect(TestBed.inject(Keywright).user()?.name).toBe('Ada');
  expect(await shown('/hello')).toBe('Hello');
  await TestBed.inject(Keywright).signOut();
  expect(TestBed.inject(Keywright).status()).toBe('signed-out');
});

it('lets nobody in who is not signed in, and tells how sign-in was asked for', async () => {
  const { signIns, status } = provide({});
  expect(await shown('/hello')).toBeUndefined();
  expect(TestBed.inject(Router).url).toBe('/');
  expect(signIns).toEqual([{ returnTo: '/hello' }]);
  expect(status()).toBe('signed-out');
});

it('lets nobody in who proved too long ago who they are', async () => {
  const { signIns } = provide({ user: ada, authenticationAge: 400 });
  expect(await shown('/payments')).toBeUndefined();
  expect(signIns).toEqual([{ maxAge: 300, returnTo: '/payments' }]);
});

it('lets nobody in who lacks a scope', async () => {
  const { signIns } = provide({ user: ada, scope: ['openid'] });
  expect(await shown('/admin')).toBeUndefined();
  expect(signIns).toEqual([{ scope: ['openid', 'admin'], returnTo: '/admin' }]);
});

it('leads to the sign-in page that it is told of', async () => {
  const { signIns } = provide({ signInPage: '/login' });
  expect(await shown('/hello')).toBe('Sign in here');
  expect(TestBed.inject(Router).url).toBe('/login?returnTo=%2Fhello');
  expect(signIns).toEqual([]);
});

it('takes passwords on a page of the app, and goes on from there', async () => {
  const keywright = provide({ takesPasswords: true });
  const harness = await RouterTestingHarness.create('/hello');
  expect(harness.routeNativeElement?.textContent).toBe('Sign in here');
  expect(await keywright.signIn()).toBe(false);
  expect(keywright.user()).toBeUndefined();
  expect(await keywright.signIn({ email: 'ada@example.com', password })).toBe(true);
  expect(keywright.user()?.email).toBe('ada@example.com');
  expect(harness.routeNativeElement?.textContent).toBe('Hello');
});

it('believes who gives a password that it is them, now', async () => {
  const keywright = provide({ user: ada, takesPasswords: true, authenticationAge: 400 });
  await keywright.signIn({ email: 'ada@example.com', password, returnTo: '/payments' });
  expect(TestBed.inject(Router).url).toBe('/payments');
});

it('registers nobody where the issuer does that', async () => {
  expect(await provide({}).register({ name: 'Ada', email: 'ada@example.com', password })).toBe(false);
});

it.each([
  ['/api', 'Bearer testing'],
  ['/api/notes?open=3', 'Bearer testing'],
  ['https://app.example.com/api', 'Bearer testing'],
  ['http://x/notes/1', 'Bearer testing'],
  ['/apis', null],
  ['http://x/notesX', null],
  ['http://x/notes/../admin', null],
  ['http://x/notes/%2e%2e%2fadmin', null],
  ['http://x/notes/..;/admin', null],
  ['http://y/notes', null],
])('sends to %s: %s', async (url, header) => {
  provide({ user: ada, apis: ['/api', 'http://x/notes'] });
  TestBed.inject(HttpClient).get(url).subscribe();
  const request = await vi.waitFor(() => TestBed.inject(HttpTestingController).expectOne(url).request);
  expect(request.headers.get('Authorization')).toBe(header);
});
