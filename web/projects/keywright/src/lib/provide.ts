import { EnvironmentProviders, inject, makeEnvironmentProviders, provideEnvironmentInitializer, Provider } from '@angular/core';
import { Config, CONFIG_SOURCE, KeywrightConfigSource } from './config';
import { Direct, DIRECT_OPTIONS, DirectOptions } from './direct';
import { Flow } from './flow';
import { KEPT, Keywright } from './keywright';
import { Redirect, REDIRECT_OPTIONS, RedirectOptions } from './redirect';
import { renewableFields } from './tokens';

/** A choice that `provideKeywright` takes. */
export interface KeywrightFeature {
  readonly providers: Provider[];
}

/**
 * Signs people of this app in with Keywright, or with any OpenID Provider.
 *
 * @param config what is known of the issuer, or what fetches it when the app starts
 * @param features `withRedirect` (the default) or `withDirectSignIn`, and `withStoredRefreshToken`
 */
export function provideKeywright(config: KeywrightConfigSource, ...features: KeywrightFeature[]): EnvironmentProviders {
  return makeEnvironmentProviders([
    { provide: CONFIG_SOURCE, useValue: config },
    Config,
    Keywright,
    withRedirect().providers,
    ...features.map((feature) => feature.providers),
    provideEnvironmentInitializer(() => inject(Keywright).start()),
  ]);
}

/** People sign in at the issuer's pages. Tokens are in memory; after a reload the issuer's session brings new ones. */
export function withRedirect(options: RedirectOptions = {}): KeywrightFeature {
  return { providers: [{ provide: REDIRECT_OPTIONS, useValue: options }, { provide: Flow, useClass: Redirect }] };
}

/**
 * People sign in by a form of the app itself, which so learns their passwords. Tokens are in memory, and gone after a
 * reload unless another tab has them: see `withStoredRefreshToken`.
 */
export function withDirectSignIn(options: DirectOptions = {}): KeywrightFeature {
  return { providers: [{ provide: DIRECT_OPTIONS, useValue: options }, { provide: Flow, useClass: Direct }] };
}

/**
 * Keeps the refresh token in localStorage, so that people stay signed in after a reload without the issuer's session.
 * Any script that gets to run in the page can take it from there and use it elsewhere, until the issuer sees it used twice.
 */
export function withStoredRefreshToken(): KeywrightFeature {
  return { providers: [{ provide: KEPT, useValue: renewableFields }] };
}
