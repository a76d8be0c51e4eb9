import { chain, noop, type Rule } from '@angular-devkit/schematics';
import { join, relative } from 'node:path/posix';
import type ts from 'typescript';
import type { App } from './app';
import { writeFiles } from './files';
import { addRoutes, findRoutes, hasRoute } from './routes';
import { renderInBrowser } from './server-rendering';
import { edit } from './source';

/** Adds a page that only people see who are signed in, unless the app has a route of that name. */
export function addProfile(app: App): Rule {
  return (tree, { logger }) => {
    const routes = findRoutes(tree, app);
    if (!routes) {
      logger.warn('No routes were found that can be edited, so no page was added. To guard a page of yours: canActivate: [keywrightGuard].');
      return noop();
    }
    return hasRoute(routes, 'profile') ? noop() : chain([writeFiles(app, 'profile'), addGuarded(app, routes), renderInBrowser(app, 'profile')]);
  };
}

function addGuarded({ component }: App, routes: ts.ArrayLiteralExpression): Rule {
  return (tree) => {
    const module = relative(join('/', routes.getSourceFile().fileName, '..'), join('/', component, '../profile/profile'));
    const route = `{
    path: 'profile',
    canActivate: [keywrightGuard],
    loadComponent: () => import('${module.startsWith('.') ? module : './' + module}').then((m) => m.Profile),
  }`;
    edit(tree, routes, [addRoutes(routes, route)], { '@keywright/angular': ['keywrightGuard'] });
  };
}
