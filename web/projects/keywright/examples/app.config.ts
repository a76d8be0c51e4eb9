import { provideHttpClient, withInterceptors } from '@angular/common/http';
import { ApplicationConfig } from '@angular/core';
import { provideRouter } from '@angular/router';
import { keywrightGuard, keywrightInterceptor, provideKeywright } from '@keywright/angular';

export const appConfig: ApplicationConfig = {
  providers: [
    provideRouter([{ path: 'notes', canActivate: [keywrightGuard], loadComponent: () => import('./notes') }]),
    provideHttpClient(withInterceptors([keywrightInterceptor])),
    provideKeywright({ issuer: 'http://localhost:10101', clientId: 'notes', apis: ['http://localhost:10102/'] }),
  ],
};
