import { inject } from '@angular/core';
import { CanActivateFn, GuardResult, Router } from '@angular/router';
import { Keywright, returnParameter } from './keywright';
import { SignInOptions } from './flow';

/**
 * Lets people in who are signed in. Others go to the app's sign-in page or to the issuer, and come back here.
 * After a sign-in that failed it begins none by itself: it leads to the sign-in page, or to `/`.
 */
export const keywrightGuard: CanActivateFn = (_, { url }) => admit(url, () => undefined);

/** Lets people in whose tokens have these scopes, and asks for those that were not asked for yet. */
export function requireScope(...needed: [string, ...string[]]): CanActivateFn {
  return (_, { url }) =>
    admit(url, (keywright) => {
      const missing = needed.filter((scope) => !keywright.scope().includes(scope));
      if (missing.length === 0) return undefined;
      const refused = missing.find((scope) => keywright.takesPasswords || keywright.askedScope().includes(scope));
      if (!refused) return { scope: [...keywright.askedScope(), ...missing] };
      keywright.lacks(refused);
      return 'refused';
    });
}

/**
 * Lets people in who proved who they are a short time ago, and asks others to do it again.
 *
 * @param maxAge in seconds; a minute more is let pass, since the way back takes time
 */
export function requireAuthTime(maxAge: number): CanActivateFn {
  return (_, { url }) => admit(url, (keywright) => (keywright.authenticationAge() > maxAge + 60 ? { maxAge } : undefined));
}

/** What is missing for a route: a further sign-in, or what no sign-in would bring. */
type Missing = SignInOptions | 'refused' | undefined;

async function admit(url: string, missing: (keywright: Keywright) => Missing): Promise<GuardResult> {
  const keywright = inject(Keywright);
  const router = inject(Router);
  const page = keywright.signInPage;
  const elsewhere = (target: string, queryParams?: object) => {
    const isHere = router.serializeUrl(router.createUrlTree([target])) === url.split(/[?#]/)[0];
    return !isHere && router.createUrlTree([target], { queryParams });
  };
  const status = await keywright.ready();
  if (status === 'starting') return false; // on a server
  const lacking = status === 'signed-in' ? missing(keywright) : {};
  if (!lacking) return true;
  if (lacking === 'refused') return elsewhere(page ?? '/');
  const isForApp = status !== 'signed-in' || keywright.takesPasswords;
  if (page && isForApp) return elsewhere(page, { [returnParameter]: url });
  if (status !== 'failed' && (await keywright.signIn({ ...lacking, returnTo: url }))) return true;
  return elsewhere(page ?? '/', { [returnParameter]: url });
}
