import type { HttpErrorResponse, HttpEvent, HttpInterceptorFn, HttpRequest } from '@angular/common/http';
import { inject } from '@angular/core';
import { catchError, from, Observable, switchMap, throwError } from 'rxjs';
import { Keywright } from './keywright';

/**
 * Sends the access token to the configuration's `apis`, and nowhere else. When an API answers 401, it gets one more
 * request, with a new token. What carries an `Authorization` header already is left alone. A request fails with a
 * `KeywrightError` when its token has expired and renewing it fails.
 */
export const keywrightInterceptor: HttpInterceptorFn = (request, next) => {
  const keywright = inject(Keywright);
  if (request.headers.has('Authorization')) return next(request);
  return from(keywright.accessToken(request.urlWithParams)).pipe(
    switchMap((token) => (token ? send(token, keywright.user()?.id) : next(request))),
  );

  function send(token: string, userId: string | undefined): Observable<HttpEvent<unknown>> {
    return next(authorized(request, token)).pipe(
      catchError((error) => (isRefused(error) ? sendAgain(token, userId, error) : throwError(() => error))),
    );
  }

  function sendAgain(refused: string, userId: string | undefined, error: HttpErrorResponse): Observable<HttpEvent<unknown>> {
    return from(keywright.nextAccessToken(refused)).pipe(
      switchMap((token) => (token && keywright.user()?.id === userId ? next(authorized(request, token)) : throwError(() => error))),
    );
  }
};

function authorized(request: HttpRequest<unknown>, token: string): HttpRequest<unknown> {
  return request.clone({ setHeaders: { Authorization: `Bearer ${token}` } });
}

function isRefused(error: unknown): error is HttpErrorResponse {
  return (error as HttpErrorResponse | undefined)?.status === 401; // by its shape: its class would bring HttpClient into the first load
}
