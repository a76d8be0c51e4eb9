import { Component } from '@angular/core';
import { Routes } from '@angular/router';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeIssuer, startIssuer } from '../../spec/issuer';
import { ada, later, Opening, signedIn, Tab } from '../../spec/tab';
import { keywrightGuard, requireAuthTime, requireScope, withDirectSignIn, withRedirect } from '../public-api';

@Component({ template: '' })
class Page {}

const routes: Routes = [
  { path: '', component: Page },
  { path: 'login', component: Page },
  { path: 'notes', component: Page, canActivate: [keywrightGuard] },
  {
    path: 'admin', component: Page, canActivate: [requireScope('admin')],
    children: [{ path: 'audit', component: Page, canActivate: [requireScope('audit')] }],
  },
  { path: 'payments', component: Page, canActivate: [requireAuthTime(300)] },
];

let issuer: FakeIssuer;

beforeEach(async () => {
  issuer = await startIssuer();
});

function open(opening: Opening = {}): Promise<Tab> {
  return Tab.open({ routes, ...opening });
}

function arrived(changes: Record<string, string | null> = {}): Promise<Tab> {
  return signedIn(issuer, { routes }, changes);
}

describe('the guard', () => {
  it('lets in who is signed in', async () => {
    const tab = await arrived();
    await tab.router.navigateByUrl('/notes?open=3');
    expect(tab.router.url).toBe('/notes?open=3');
  });

  it('sends others to the issuer, and back to where they wanted to go', async () => {
    const tab = await open();
    void tab.router.navigateByUrl('/notes?open=3#top');
    const callback = issuer.authorize(await tab.leaves());
    expect(tab.replaced).toBe(true); // the back button leads to no page that was never shown
    tab.close();
    const back = await open({ url: callback.href });
    back.router.initialNavigation();
    await vi.waitFor(() => expect(back.router.url).toBe('/notes?open=3#top'));
  });

  it('lets who goes back from the issuer find the page where they were', async () => {
    const tab = await open();
    await tab.router.navigateByUrl('/');
    void tab.router.navigateByUrl('/notes');
    await tab.leaves();
    expect(tab.replaced).toBe(false);
  });

  it('gets the next tokens first, where the last ones have expired, and lets nobody in whose session is over', async () => {
    const tab = await arrived();
    later(3600);
    await tab.router.navigateByUrl('/notes');
    expect(tab.router.url).toBe('/notes');
    expect(issuer.count('/token')).toBe(2);
    await tab.router.navigateByUrl('/');
    later(7200);
    issuer.instead = (path) => (path === '/token' ? Response.json({ error: 'invalid_grant' }, { status: 400 }) : undefined);
    void tab.router.navigateByUrl('/notes');
    expect((await tab.leaves()).pathname).toBe('/authorize');
    expect(tab.keywright.error()).toMatchObject({ code: 'session-ended' });
  });

  it('sends others to the sign-in page, which knows where they wanted to go', async () => {
    const tab = await open({ config: { issuer: issuer.url }, features: [withDirectSignIn()] });
    await tab.router.navigateByUrl('/notes?open=3');
    expect(tab.router.url).toBe('/login?returnTo=%2Fnotes%3Fopen%3D3');
    await tab.keywright.signIn(ada);
    expect(tab.router.url).toBe('/notes?open=3');
  });

  it('does not send anybody to the issuer again who was refused', async () => {
    const refused = await arrived({ code: null, error: 'access_denied' });
    expect(refused.keywright.status()).toBe('failed');
    await refused.router.navigateByUrl('/notes');
    expect(refused.router.url).toBe('/?returnTo=%2Fnotes');
    expect(refused.wasLeft).toBe(false);
  });

  it('ends where the guarded page is the start page itself', async () => {
    issuer.instead = () => Promise.reject(new TypeError('Failed to fetch'));
    const tab = await open({ routes: [{ path: '', component: Page, canActivate: [keywrightGuard] }], features: [withRedirect()] });
    expect(await tab.router.navigateByUrl('/')).toBe(false);
    expect(tab.keywright.error()).toMatchObject({ code: 'issuer-unreachable' });
  });

  it('asks for a scope once', async () => {
    const tab = await arrived();
    void tab.router.navigateByUrl('/admin');
    const request = await tab.leaves();
    expect(request.searchParams.get('scope')).toBe('openid profile email admin');
    tab.close();
    const back = await open({ url: issuer.authorize(request).href });
    await back.keywright.ready();
    await back.router.navigateByUrl('/admin');
    expect(back.router.url).toBe('/admin'); // no scope in the answer: what was asked for was granted
  });

  it('asks for the scopes of all guards on the way, each once', async () => {
    let tab = await arrived();
    for (const scope of ['openid profile email admin', 'openid profile email admin audit']) {
      void tab.router.navigateByUrl('/admin/audit');
      const request = await tab.leaves();
      expect(request.searchParams.get('scope')).toBe(scope);
      tab.close();
      tab = await open({ url: issuer.authorize(request).href });
      await tab.keywright.ready();
    }
    await tab.router.navigateByUrl('/admin/audit');
    expect(tab.router.url).toBe('/admin/audit');
  });

  it('goes past the sign-in page with whoever is signed in and lacks a scope', async () => {
    const features = [withRedirect({ page: '/login' })];
    const tab = await signedIn(issuer, { routes, features });
    void tab.router.navigateByUrl('/admin');
    expect((await tab.leaves()).searchParams.get('scope')).toBe('openid profile email admin');
  });

  it('knows that direct sign-in brings no more scopes', async () => {
    const tab = await open({ features: [withDirectSignIn()] });
    await tab.keywright.signIn(ada);
    await tab.router.navigateByUrl('/admin');
    expect(tab.keywright.error()).toMatchObject({ code: 'scope-missing', reason: 'admin' });
    expect(tab.keywright.status()).toBe('signed-in');
  });

  it('says which scope was refused', async () => {
    const tab = await arrived();
    void tab.router.navigateByUrl('/admin');
    const request = await tab.leaves();
    tab.close();
    issuer.scope = 'openid profile email';
    const back = await open({ url: issuer.authorize(request).href });
    await back.router.navigateByUrl('/admin');
    expect(back.router.url).toBe('/');
    expect(back.wasLeft).toBe(false);
    expect(back.keywright.error()).toMatchObject({ code: 'scope-missing', reason: 'admin' });
  });

  it('asks people to prove anew who they are when that is long ago', async () => {
    issuer.authenticatedAgo = 1000;
    const tab = await arrived();
    void tab.router.navigateByUrl('/payments');
    const request = await tab.leaves();
    expect(request.searchParams.get('max_age')).toBe('300');
    tab.close();
    issuer.authenticatedAgo = 0;
    const back = await open({ url: issuer.authorize(request).href });
    await back.router.navigateByUrl('/payments');
    expect(back.router.url).toBe('/payments');
  });

  it('lets in whom the issuer has found to be in time', async () => {
    issuer.authenticatedAgo = 330; // a minute is let pass, here as there
    const tab = await arrived();
    await tab.router.navigateByUrl('/payments');
    expect(tab.router.url).toBe('/payments');
    expect(tab.wasLeft).toBe(false);
  });

  it('refuses an issuer that does not ask them', async () => {
    issuer.authenticatedAgo = 1000;
    const tab = await arrived();
    void tab.router.navigateByUrl('/payments');
    const request = await tab.leaves();
    tab.close();
    const back = await open({ url: issuer.authorize(request).href });
    await back.keywright.ready();
    expect(back.keywright.error()).toMatchObject({ code: 'id-token-invalid', reason: 'auth_time' });
  });
});
