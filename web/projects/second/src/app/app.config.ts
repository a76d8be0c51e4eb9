import { ApplicationConfig, inject } from '@angular/core';
import { provideRouter } from '@angular/router';
import { provideKeywright, withRedirect } from '@keywright/angular';
import { SETTINGS } from './settings';

export const appConfig: ApplicationConfig = {
  providers: [
    provideRouter([]),
    provideKeywright(() => inject(SETTINGS), withRedirect({ silent: 'always' })), // whoever has signed in elsewhere is greeted at once
  ],
};
