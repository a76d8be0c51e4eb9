import { provideHttpClient, withInterceptors } from '@angular/common/http';
import { ApplicationConfig, inject } from '@angular/core';
import { provideRouter } from '@angular/router';
import {
  KeywrightConfig,
  keywrightInterceptor,
  provideKeywright,
  withDirectSignIn,
  withRedirect,
  withStoredRefreshToken,
} from '@keywright/angular';
import { routes } from './app.routes';
import { SETTINGS } from './settings';
import { way } from './way';

export const appConfig: ApplicationConfig = {
  providers: [
    provideRouter(routes),
    provideHttpClient(withInterceptors([keywrightInterceptor])),
    way === 'redirect'
      ? provideKeywright(keywrightConfig, withRedirect())
      : provideKeywright(keywrightConfig, withDirectSignIn({ page: '/login' }), withStoredRefreshToken()),
  ],
};

async function keywrightConfig(): Promise<KeywrightConfig> {
  const { issuer, clientId, api } = await inject(SETTINGS);
  return { issuer, clientId, apis: api ? [api] : [] };
}
