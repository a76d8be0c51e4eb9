import { isPlatformServer, Location } from '@angular/common';
import { computed, DestroyRef, DOCUMENT, inject, Injectable, InjectionToken, Injector, PLATFORM_ID, signal, Signal } from '@angular/core';
import { Router } from '@angular/router';
import { BASE_URL, Config, delay, isApi } from './config';
import { isForged, isOver, KeywrightError } from './error';
import { Flow, Registration, SignInOptions } from './flow';
import { protocol, revoke } from './issuer';
import { forget, keep, recall } from './storage';
import { Message, Tabs } from './tabs';
import { Claims, now, renew, Renewable, shift, Tokens, User } from './tokens';

declare const ngDevMode: unknown;

/** Whether somebody is signed in. `failed`: nobody is, and an automatic retry would not help; `error()` says why. */
export type Status = 'starting' | 'signed-out' | 'signed-in' | 'failed';

/** What is kept of tokens in localStorage: whose sign-in it is, or see `withStoredRefreshToken`. */
export const KEPT = new InjectionToken<(keyof Renewable)[]>('KEPT', { factory: () => ['session'] });

/** The query parameter that keeps a deep link while a person is at the app's sign-in page. */
export const returnParameter = 'returnTo';

/** How long a request waits for the next token while the last one lives, in milliseconds. */
const refreshTimeout = 2000;

/** Failures after which the person simply tries again. */
const harmless = ['credentials-wrong', 'input-invalid', 'too-many-attempts', 'session-ended', 'registration-closed'];

/** Who is signed in, and the ways to change that. */
@Injectable()
export class Keywright {
  readonly #config = inject(Config);
  readonly #flow = inject(Flow);
  readonly #base = inject(BASE_URL);
  readonly #document = inject(DOCUMENT);
  readonly #injector = inject(Injector);
  readonly #isServer = isPlatformServer(inject(PLATFORM_ID));
  readonly #fields = inject(KEPT);

  readonly #tokens = signal<Tokens | undefined>(undefined);
  readonly #absence = signal<Exclude<Status, 'signed-in'>>('starting');
  readonly #error = signal<KeywrightError | undefined>(undefined);
  #started: Promise<unknown> = Promise.resolve();
  #refreshing?: Promise<void>;
  #tabs?: Tabs;
  #name = '';
  /** localStorage has a record that somebody is signed in. */
  #recorded = false;
  /** Counts sign-outs: what began before one does not count after it. */
  #epoch = 0;
  /** When other tabs were asked for tokens. */
  #asking?: number;
  #ended?: string;
  #signedOutAt = -Infinity;

  readonly status: Signal<Status> = computed(() => (this.#tokens() ? 'signed-in' : this.#absence()));
  readonly user: Signal<User | undefined> = computed(() => this.#tokens()?.user);
  /** All that the issuer says of the person; undefined with direct sign-in. */
  readonly claims: Signal<Claims | undefined> = computed(() => this.#tokens()?.claims);
  /** What was granted. */
  readonly scope: Signal<readonly string[]> = computed(() => this.#tokens()?.scope ?? []);
  /** What was asked for, granted or not. */
  readonly askedScope: Signal<readonly string[]> = computed(() => this.#tokens()?.askedScope ?? []);
  /** What went wrong last, until something goes right. */
  readonly error: Signal<KeywrightError | undefined> = this.#error.asReadonly();
  /** The app's page where people sign in, as the router writes it, if it has one. */
  readonly signInPage: string | undefined = this.#flow.page;
  /** Whether people sign in by a form of the app: `withDirectSignIn`. */
  readonly takesPasswords: boolean = this.#flow.takesPasswords;

  constructor() {
    inject(DestroyRef).onDestroy(() => this.#tabs?.close());
  }

  /** Begins. `provideKeywright` calls it before the router reads the address; on a server nothing is known of anybody. */
  start(): void {
    if (this.#isServer) return;
    try {
      const arrival = this.#flow.arrive();
      this.#started = this.#attempt(() => (arrival ? this.#arrive(arrival) : this.#restore()));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Waits until it is known whether somebody is signed in, still or again. On a server nobody knows, and the answer is `starting`. */
  async ready(): Promise<Status> {
    await this.#started;
    await this.#freshen('expiresAt').catch(() => {}); // error() says it
    return this.status();
  }

  /**
   * Signs in: at the issuer's pages, or directly with an e-mail and a password.
   *
   * @returns whether somebody is signed in; if not, `error()` says why. It never resolves where the page is left.
   */
  async signIn(options: SignInOptions = {}): Promise<boolean> {
    await this.#started; // it may be about to leave the page
    const deepLink = options.returnTo ?? this.#deepLink();
    const returnTo = this.#ownUrl(deepLink ?? this.#router.url);
    const before = this.#tokens();
    const shown = this.#router.lastSuccessfulNavigation() !== null;
    await this.#attempt(() => this.#flow.signIn(options, returnTo ?? this.#base, shown));
    const after = this.#tokens();
    if (after && after !== before && deepLink !== undefined && returnTo) await this.#router.navigateByUrl(deepLink);
    return after !== undefined;
  }

  /**
   * Registers somebody, with direct sign-in; they can sign in then.
   *
   * @returns whether that was accepted; if not, `error()` says why
   */
  async register(person: Registration): Promise<boolean> {
    try {
      await this.#flow.register(person);
      this.#error.set(undefined);
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  /** Signs out: here and in all tabs at once, then at the issuer. */
  async signOut(): Promise<void> {
    try {
      await this.#open();
      const tokens = this.#tokens() ?? this.#record();
      const session = tokens?.session;
      this.#signedOutAt = Date.now();
      this.#tabs!.tell({ type: 'signed-out', session, at: this.#signedOutAt });
      this.#leave(session);
      keep('localStorage', this.#name, 'null');
      await this.#flow.signOut(tokens);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** How many seconds ago the person proved who they are; Infinity where nobody knows. */
  authenticationAge(): number {
    return (now() - (this.#tokens()?.authenticatedAt ?? -Infinity)) / 1000;
  }

  /**
   * The access token for a request, renewed where it is about to expire; undefined if the URL is none of the
   * configuration's `apis`, or nobody is signed in.
   *
   * @throws KeywrightError if it has expired and the issuer cannot be asked for another
   */
  async accessToken(url: string): Promise<string | undefined> {
    if (this.#isServer || this.#config.asking) return undefined;
    const config = await this.#config.load().catch(() => undefined); // error() says it
    if (!isApi(url, config?.apis, this.#base, this.#document.baseURI)) return undefined;
    await this.#started;
    const user = this.#tokens()?.subject;
    await this.#freshen('refreshAt');
    const mine = this.#tokens();
    return mine?.subject === user ? mine?.accessToken : undefined; // nobody speaks for somebody else
  }

  /** The access token after one that an API has refused; undefined if there is none. */
  async nextAccessToken(refused: string): Promise<string | undefined> {
    if (this.#tokens()?.accessToken === refused) await this.#refresh();
    const next = this.#tokens()?.accessToken;
    return next === refused ? undefined : next;
  }

  /** Says that a route needs a scope which the person did not get. */
  lacks(scope: string): void {
    this.#error.set(new KeywrightError('scope-missing', { reason: scope }));
  }

  /** Signs in by what work brings, unless somebody signs out meanwhile. */
  async #attempt(work: () => Promise<Tokens | undefined>): Promise<void> {
    const epoch = this.#epoch;
    try {
      await this.#open();
      const tokens = await work();
      if (epoch !== this.#epoch) return void (await this.#discard(tokens));
      if (tokens) return this.#take(tokens);
      if (!this.#tokens()) this.#absence.set('signed-out');
    } catch (error) {
      if (epoch === this.#epoch) this.#fail(error);
    }
  }

  /** Opens what tabs share, as soon as its name is known. */
  async #open(): Promise<void> {
    const { issuer, clientId } = await this.#config.load();
    this.#name ||= `keywright ${issuer} ${clientId ?? 'direct'}`;
    this.#tabs ??= new Tabs(this.#name, (message) => this.#hear(message));
  }

  async #arrive(arrival: (signedOut: boolean) => Promise<Tokens | undefined>): Promise<Tokens | undefined> {
    try {
      const tokens = await arrival(this.#record() === null);
      if (!tokens) this.#forget(this.#record()?.session); // the issuer knows nobody: no need to ask it again
      return tokens;
    } catch (error) {
      // Who goes back in the history to the issuer's page comes with an answer that nothing here waits for.
      if (error instanceof KeywrightError && error.code === 'state-mismatch' && this.#record()) return this.#restore();
      throw error;
    }
  }

  async #restore(): Promise<Tokens | undefined> {
    const epoch = this.#epoch;
    if (this.#record()) await this.#askTabs();
    if (this.#tokens()) return undefined;
    if (this.#record()?.refreshToken) {
      await this.#refresh();
      if (this.#tokens()) return undefined;
    }
    return this.#flow.restore(!!this.#record(), () => epoch === this.#epoch && this.#record() !== null);
  }

  /** Gets the next tokens if it is time. @throws KeywrightError if they cannot be had, and these have expired */
  async #freshen(time: 'refreshAt' | 'expiresAt'): Promise<void> {
    this.#notice();
    const tokens = this.#tokens();
    if (!tokens || now() < tokens[time]) return;
    const next = [this.#refresh()];
    if (tokens.expiresAt - now() > refreshTimeout) next.push(delay(refreshTimeout));
    await Promise.race(next).catch((error) => {
      if (now() >= tokens.expiresAt) throw error;
    });
  }

  /** Notices a sign-out that this tab did not hear of. */
  #notice(): void {
    if (this.#recorded && !this.#record()) this.#leave(this.#tokens()?.session);
  }

  async #askTabs(): Promise<void> {
    this.#asking = this.#epoch;
    await this.#tabs!.ask(this.#tokens());
    this.#asking = undefined;
  }

  /** Gets new tokens: once, for all who ask, here and in other tabs. */
  #refresh(): Promise<void> {
    return (this.#refreshing ??= this.#refreshAlone().finally(() => (this.#refreshing = undefined)));
  }

  #refreshAlone(): Promise<void> {
    const epoch = this.#epoch;
    const before = this.#tokens();
    return this.#tabs!.alone(async () => {
      await this.#askTabs();
      this.#notice();
      if (epoch !== this.#epoch || this.#tokens() !== before) return; // signed out, or another tab was first
      const kept = this.#record();
      const from = kept?.refreshToken ? (kept as Renewable) : before; // kept by an earlier load of the app, or by another tab
      if (before && from?.subject !== before.subject) return this.#yieldTo(from?.session);
      if (!from?.refreshToken) return this.#sessionEnded(from?.session);
      const isOutdated = () => epoch !== this.#epoch || ![before?.session, from.session].includes(this.#tokens()?.session);
      try {
        const tokens = await this.#renewed(from);
        if (isOutdated()) return this.#discard(tokens);
        this.#take(tokens);
      } catch (error) {
        if (!isOutdated()) this.#refreshFailed(from.session, error);
      }
    });
  }

  async #renewed(from: Renewable): Promise<Tokens> {
    const { refresh } = await protocol();
    const issued = await refresh(await this.#flow.issuer(), from);
    const before = this.#tokens();
    const same = before?.session === from.session ? before : undefined;
    return renew({ idToken: same?.idToken, ...from }, issued, same ?? (await this.#flow.identify(issued, from)));
  }

  #refreshFailed(session: string, error: unknown): void {
    if (isOver(error)) return this.#sessionEnded(session, error);
    if (isForged(error)) this.#endInAllTabs(session);
    this.#fail(error);
    throw error;
  }

  #sessionEnded(session: string | undefined, cause?: unknown): void {
    this.#endInAllTabs(session);
    this.#error.set(new KeywrightError('session-ended', { cause }));
  }

  /** Ends a session that nobody has signed out of. */
  #endInAllTabs(session: string | undefined): void {
    if (session) this.#tabs?.tell({ type: 'session-ended', session });
    this.#end(session);
  }

  /** Takes new tokens, and shares them. */
  #take(tokens: Tokens): void {
    keep('localStorage', this.#name, JSON.stringify(tokens, this.#fields));
    this.#set(tokens);
    this.#tell(tokens, false);
  }

  #set(tokens: Tokens): void {
    this.#tokens.set(tokens);
    this.#error.set(undefined);
    this.#recorded = !!this.#record();
    void protocol().catch(() => {}); // before the files of a newer version take the place of these
  }

  #end(session: string | undefined): void {
    this.#leave(session);
    this.#forget(session);
  }

  /** Nobody is signed in here any more: nothing that is under way will count. */
  #leave(session: string | undefined): void {
    this.#epoch++;
    this.#recorded = false;
    this.#ended = session;
    this.#tokens.set(undefined);
    this.#absence.set('signed-out');
    this.#error.set(undefined);
  }

  /** Takes a session's record away, but neither that of a later one nor the mark of a sign-out. */
  #forget(session: string | undefined): void {
    if (session && this.#record()?.session === session) forget('localStorage', this.#name);
  }

  /** Gives way to somebody else's session, which another tab has begun: what is on the screen is not theirs. */
  #yieldTo(session: string | undefined): void {
    this.#leave(session);
    this.#error.set(new KeywrightError('session-ended', { found: 'somebody else has signed in' }));
  }

  /** What the browser keeps: a record while somebody is signed in, null after a sign-out. */
  #record(): Partial<Renewable> | null | undefined {
    return recall('localStorage', this.#name);
  }

  async #discard(tokens: Tokens | undefined): Promise<void> {
    const { refreshToken } = tokens ?? {};
    if (refreshToken) await this.#flow.issuer().then((issuer) => revoke(issuer, refreshToken)).catch(() => {});
  }

  #fail(error: unknown): void {
    const failure = error instanceof KeywrightError ? error : new KeywrightError('issuer-invalid', { found: 'see the cause', cause: error });
    const isHarmless = harmless.includes(failure.code);
    this.#error.set(failure);
    this.#absence.set(isHarmless ? 'signed-out' : 'failed');
    if ((typeof ngDevMode === 'undefined' || ngDevMode) && !isHarmless) console.error(failure); // for developers
  }

  #hear(message: Message): void {
    const mine = this.#tokens();
    switch (message.type) {
      case 'ask':
        if (mine && (mine.session !== message.session || mine.generation > message.generation!)) this.#tell(mine, true);
        break;
      case 'signed-out':
        if (mine && mine.session !== message.session && mine.since > message.at) break; // a later sign-in
        this.#signedOutAt = message.at;
        if (mine && mine.session !== message.session) void this.#discard(mine);
        this.#end(mine?.session);
        break;
      case 'session-ended':
        if (mine?.session !== message.session) break;
        this.#end(message.session);
        this.#error.set(new KeywrightError('session-ended'));
        break;
      case 'tokens':
        if (!this.#isNews(message.tokens, message.answer)) break;
        if (mine && mine.subject !== message.tokens.subject) this.#yieldTo(message.tokens.session);
        else this.#set(shift(message.tokens, now()));
    }
  }

  #isNews(tokens: Tokens, answer: boolean): boolean {
    const mine = this.#tokens();
    if (answer && this.#asking !== this.#epoch) return false;
    if (mine?.session === tokens.session) return tokens.generation > mine.generation;
    const past = this.#signedOutAt <= Date.now(); // unless the clock was set back since
    return tokens.session !== this.#ended && !(past && tokens.since <= this.#signedOutAt) && !(mine && answer);
  }

  #tell(tokens: Tokens, answer: boolean): void {
    this.#tabs?.tell({ type: 'tokens', tokens: shift(tokens, -now()), answer });
  }

  get #router(): Router {
    return this.#injector.get(Router); // not before it is needed: it reads the address
  }

  /** Where the guard has stopped the person. */
  #deepLink(): string | undefined {
    const kept: unknown = this.#router.parseUrl(this.#router.url).queryParams[returnParameter];
    return typeof kept === 'string' && this.#ownUrl(kept) ? kept : undefined;
  }

  /** The URL of a route, unless it leads out of the app. RFC 9700 §4.11.1. */
  #ownUrl(route: string): string | undefined {
    const url = this.#injector.get(Location).prepareExternalUrl(route);
    const target = URL.parse(url, this.#base);
    return target?.origin === new URL(this.#base).origin ? target.href : undefined;
  }
}
