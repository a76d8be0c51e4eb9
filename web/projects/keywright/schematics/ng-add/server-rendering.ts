import { chain, noop, type Rule, type Tree } from '@angular-devkit/schematics';
import { getSourceFile } from '@schematics/angular/utility/standalone/util';
import ts from 'typescript';
import type { App } from './app';
import { addRoutes, findRoutes, hasRoute, pathOf, routesOf } from './routes';
import { callsIn, edit, filesThatImport } from './source';

/** Makes the callback a route where a server renders the app: it answers 404 to all else, and once there are routes, to `/` too. */
export function addCallback(app: App): Rule {
  return (tree, { logger }) => {
    if (!findServerRoutes(tree, app)) return noop();
    if (findRoutes(tree, app)) return chain([addEmptyRoutes(app), renderInBrowser(app, 'callback')]);
    logger.warn('No routes were found that can be edited, so the server will answer 404 for the callback. Add a route for it, with RenderMode.Client.');
    return noop();
  };
}

/** Leaves a route to the browser, which alone knows who is signed in. */
export function renderInBrowser(app: App, path: string): Rule {
  return (tree) => {
    const routes = findServerRoutes(tree, app);
    if (!routes || hasRoute(routes, path)) return;
    edit(tree, routes, [addRoutes(routes, `{ path: '${path}', renderMode: RenderMode.Client }`)], { '@angular/ssr': ['RenderMode'] });
  };
}

function addEmptyRoutes(app: App): Rule {
  return (tree) => {
    const routes = findRoutes(tree, app)!;
    const mayHaveHome = hasRoute(routes, '', '**') || routes.elements.some((route) => pathOf(route) === undefined);
    const paths = ['callback', ...(mayHaveHome ? [] : [''])].filter((path) => !hasRoute(routes, path));
    edit(tree, routes, [addRoutes(routes, ...paths.map((path) => `{ path: '${path}', children: [] }`))], {});
  };
}

/** What `withRoutes` of @angular/ssr is given. */
function findServerRoutes(tree: Tree, { sourceRoot }: App): ts.ArrayLiteralExpression | undefined {
  const [call] = filesThatImport(tree, sourceRoot, 'withRoutes').flatMap((file) => callsIn(getSourceFile(tree, file), 'withRoutes'));
  return routesOf(tree, call);
}
