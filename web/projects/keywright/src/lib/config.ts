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
  /** For which API the tokens are: its audience (RFC 8707). */
  readonly resource?: string;
  /** URLs that get the access token: of this very origin, and of this path or below it. One that begins with a slash is the page's own. */
  readonly apis?: readonly string[];
}

/** The configuration, or what fetches it when the app starts; it may `inject`, and ask `HttpClient` at once. */
export type KeywrightConfigSource = KeywrightConfig | (() => KeywrightConfig | Promise<KeywrightConfig>);

/** Where the app lives. A page without a base element takes its own address for it, which is no use. */
export const BASE_URL = new InjectionToken<string>('base URL of the app', {
  factory: () => {
    const document = inject(DOCUMENT);
    const base = inject(APP_BASE_HREF, { optional: true }) ?? document.querySelector('base[href]')?.getAttribute('href') ?? '/';
    return URL.parse(base.replace(/\/?$/, '/'), document.location.origin)?.href ?? base; // on a server there may be no origin
  },
});

/** How long to wait for an answer, in milliseconds. */
export const patience = 15_000;

/** Waits, in milliseconds, by what keeps no app from being stable. */
export function rest(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    AbortSignal.timeout(milliseconds).onabort = () => resolve();
  });
}

export const CONFIG_SOURCE = new InjectionToken<KeywrightConfigSource>('what provideKeywright was given');

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
    const source = this.#source;
    try {
      this.asking = true;
      const answer = typeof source === 'function' ? runInInjectionContext(this.#injector, source) : source;
      this.asking = false;
      return checked(await Promise.race([answer, late()]));
    } catch (cause) {
      if (cause instanceof KeywrightError) throw cause;
      throw invalid('see the cause', cause);
    } finally {
      this.asking = false;
    }
  }
}

/** A request that the source makes later than at once waits for its answer, and so for ever. */
async function late(): Promise<never> {
  await rest(patience);
  throw invalid('too slow, or waits for itself: use fetch');
}

function invalid(found: string, cause?: unknown): KeywrightError {
  return new KeywrightError('config-invalid', { found, cause });
}

function checked(config: KeywrightConfig): KeywrightConfig {
  const { issuer, apis = [] } = config;
  if (!crypto.subtle) throw invalid('the page needs https');
  for (const url of [issuer, ...apis.filter((api) => !api.startsWith('/'))]) {
    if (!isSafe(URL.parse(url)) || (url === issuer && /[?#]/.test(url))) {
      throw invalid(`${url} is no https URL; http is for localhost alone`);
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
