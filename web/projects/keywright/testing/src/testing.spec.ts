import { HttpClient, provideHttpClient, withInterceptors } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { Component } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { provideRouter } from '@angular/router';
import { RouterTestingHarness } from '@angular/router/testing';
import { Keywright, keywrightGuard, keywrightInterceptor } from '@keywright/angular';
import { expect, it, vi } from 'vitest';
import { KeywrightTesting, provideKeywrightTesting } from './public-api';

@Component({ template: 'Hello' })
class Hello {}

it('lets a test begin with somebody signed in', async () => {
  TestBed.configureTestingModule({
    providers: [
      provideKeywrightTesting({ user: { id: '1', name: 'Ada' }, apis: ['/api'] }),
      provideRouter([{ path: 'hello', component: Hello, canActivate: [keywrightGuard] }]),
      provideHttpClient(withInterceptors([keywrightInterceptor])),
      provideHttpClientTesting(),
    ],
  });
  expect(TestBed.inject(Keywright).user()?.name).toBe('Ada');
  const harness = await RouterTestingHarness.create('/hello');
  expect(harness.routeNativeElement?.textContent).toBe('Hello');
  TestBed.inject(HttpClient).get('/api/notes').subscribe();
  const http = TestBed.inject(HttpTestingController);
  await vi.waitFor(() => expect(http.expectOne('/api/notes').request.headers.get('Authorization')).toBe('Bearer testing'));
});

it('lets a test begin with nobody, and tells how sign-in was asked for', async () => {
  TestBed.configureTestingModule({
    providers: [provideKeywrightTesting(), provideRouter([{ path: 'hello', component: Hello, canActivate: [keywrightGuard] }])],
  });
  await RouterTestingHarness.create('/hello');
  expect(TestBed.inject(KeywrightTesting).signIns).toEqual([{ returnTo: '/hello' }]);
  expect(TestBed.inject(Keywright).status()).toBe('signed-in');
  await TestBed.inject(Keywright).signOut();
  expect(TestBed.inject(Keywright).status()).toBe('signed-out');
});
