import { inject } from '@angular/core';
import { CanActivateFn, Router, Routes } from '@angular/router';
import { Keywright, keywrightGuard, type SignInOptions } from '@keywright/angular';
import { AtIssuer } from './at-issuer';
import { SETTINGS } from './settings';
import { Start } from './start';
import { way } from './way';

/** Whoever is signed in needs no form. */
const visitorsOnly: CanActivateFn = async () => {
  const router = inject(Router);
  const status = await inject(Keywright).ready();
  return status === 'signed-in' ? router.parseUrl('/profile') : true;
};

export const routes: Routes = [
  {
    path: '',
    resolve: { settings: () => inject(SETTINGS).catch(() => ({})) }, // without any, `Keywright` says what is wrong
    children: [
      { path: '', title: 'Keywright demo', component: Start },
      {
        path: '',
        canActivate: [visitorsOnly],
        runGuardsAndResolvers: 'always',
        children: [
          {
            path: 'login',
            title: 'Sign in – Keywright demo',
            loadComponent: () => (way === 'redirect' ? AtIssuer : import('./direct/login')),
          },
          {
            path: 'register',
            title: 'Create an account – Keywright demo',
            data: { prompt: 'create' } satisfies SignInOptions,
            loadComponent: () => (way === 'redirect' ? AtIssuer : import('./direct/register')),
          },
          { path: 'widget', title: 'The sign-in widget – Keywright demo', loadComponent: () => import('./widget-page') },
        ],
      },
      {
        path: '',
        canActivate: [keywrightGuard],
        children: [
          { path: 'profile', title: 'Your profile – Keywright demo', loadComponent: () => import('./profile') },
          { path: 'api', title: 'The API – Keywright demo', loadComponent: () => import('./api') },
          { path: 'tokens', title: 'Your tokens – Keywright demo', loadComponent: () => import('./tokens') },
        ],
      },
    ],
  },
  { path: '**', title: 'Not found – Keywright demo', loadComponent: () => import('./not-found') },
];
