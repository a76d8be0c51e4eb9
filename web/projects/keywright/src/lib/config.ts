import { APP_BASE_HREF } from '@angular/common';
import { DOCUMENT, inject, Injectable, InjectionToken, Injector, runInInjectionContext } from '@angular/core';
import { KeywrightError } from './error';

/** What the app is told about its issuer. None of it is secret. */
export interface KeywrightConfig {
  /** The issuer's URL, exactly as its discovery document names it. */
  readonly issuer: string;
  /** The id under which the app is registered there. Direct sign-in needs none. */
  readonly clientId?: string;
  /** What to ask for, separated by spaces; `openid profile email` unless said otherwise. */
  readonly scope?: string;
  /** The API that the tokens are for: a resource indicator (RFC 8707). */
  readonly resource?: string;
  /** URLs that get the access token, with everything below their path. One that begins with `/` is on the app's own origin. */
  readonly apis?: readonly string[];
}

/** The configuration, or what fetches it when the app starts; it may `inject`, and ask `HttpClient` at once. */
export type KeywrightConfigSource = KeywrightConfig | (() => KeywrightConfig | Promise<KeywrightConfig>);

/** Where the app lives. `baseURI` will not do: without a base element it is the page's own address. */
export const BASE_URL = new InjectionToken<string>('BASE_URL', {
  factory: () => {
    const document = inject(DOCUMENT);
    const base = inject(APP_BASE_HREF, { optional: true }) ?? document.querySelector('base[href]')?.getAttribute('href') ?? '/';
    return URL.parse(base.replace(/\/?$/, '/'), document.location.origin)?.href ?? base; // on a server there may be no origin
  },
});

/** How long to wait for an answer, in milliseconds. */
export const requestTimeout = 15_000;

/** Waits, in milliseconds, and keeps no app of Zone.js from being stable, as setTimeout does. */
export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    AbortSignal.timeout(milliseconds).onabort = () => resolve();
  });
}

export const CONFIG_SOURCE = new InjectionToken<KeywrightConfigSource>('CONFIG_SOURCE');

/** The configuration, once it is known. */
@Injectable()
export class Config {
  readonly #source = inject(CONFIG_SOURCE);
  readonly #injector = inject(Injector);
  #loaded?: Promise<KeywrightConfig>;
  /** The source is being asked right now: its own requests cannot wait for its answer. */
  asking = false;

  /** Loads it, once; after a failure, again. @throws KeywrightError `config-invalid` */
  load(): Promise<KeywrightConfig> {
    return (this.#loaded ??= this.#ask().catch((error) => {
      this.#loaded = undefined;
      throw error;
    }));
  }

  async #ask(): Promise<KeywrightConfig> {
    try {
      return checked(await Promise.race([this.#call(), late()]));
    } catch (cause) {
      if (cause instanceof KeywrightError) throw cause;
      throw invalid('see the cause', cause);
    }
  }

  #call(): KeywrightConfig | Promise<KeywrightConfig> {
    const source = this.#source;
    this.asking = true;
    try {
      return typeof source === 'function' ? runInInjectionContext(this.#injector, source) : source;
    } finally {
      this.asking = false;
    }
  }
}

/** What the source asks the interceptor's HttpClient later waits for the configuration, which waits for it. */
async function late(): Promise<never> {
  await delay(requestTimeout);
  throw invalid('no answer in time');
}

function invalid(found: string, cause?: unknown): KeywrightError {
  return new KeywrightError('config-invalid', { found, cause });
}

function checked(config: KeywrightConfig): KeywrightConfig {
  const { issuer, apis = [] } = config;
  if (!crypto.subtle) throw invalid('the page needs https');
  for (const url of [issuer, ...apis.filter((api) => !api.startsWith('/'))]) {
    if (!isSafe(URL.parse(url)) || (url === issuer && /[?#]/.test(url))) {
      throw invalid(`${url} is not an https URL (http is for localhost only)`);
    }
  }
  return config;
}

/** Says whether what is sent there is for nobody else to read. */
export function isSafe(url: URL | null): url is URL {
  return url !== null && (url.protocol === 'https:' || isLocal(url));
}

/** Says whether plain http is safe to use: nothing leaves this machine. */
export function isLocal({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && /^(localhost|.+\.localhost|127\.0\.0\.1|\[::1\])$/.test(hostname);
}

/** Says whether a URL is that of one of the configuration's `apis`, or below it. */
export function isApi(url: string, apis: readonly string[] = [], base: string, baseURI: string): boolean {
  const target = URL.parse(url, baseURI); // as the browser does
  return target !== null && apis.some((api) => covers(new URL(api, base), target));
}

function covers(api: URL, target: URL): boolean {
  if (/%2f|%5c|(\.|%2e){2};/i.test(target.pathname)) return false; // servers differ in what path that is
  const prefix = api.pathname.replace(/\/$/, '');
  return target.origin === api.origin && (target.pathname === api.pathname || target.pathname.startsWith(prefix + '/'));
}
