import { Tokens } from './tokens';

/** What tabs of one app tell each other. Only pages of the same origin hear it. */
export type Message =
  /** Somebody signed in, or tokens were refreshed; or, as an answer, this is what I have. */
  | { readonly type: 'tokens'; readonly tokens: Tokens; readonly answer: boolean }
  /** Who has tokens that are newer than mine? */
  | { readonly type: 'ask'; readonly session?: string; readonly generation?: number }
  /** Somebody signed out, which ends all that was before. */
  | { readonly type: 'signed-out'; readonly session?: string; readonly at: number }
  /** A session ended by itself. */
  | { readonly type: 'session-ended'; readonly session: string };

/** How long other tabs may take to answer, in milliseconds. */
const answerTimeout = 250;

/** How long another tab may take to refresh: two requests. Then it is suspended, or gone. */
const lockTimeout = 35_000;

/** The tabs of the same app in this browser. Where a browser has no such thing, this tab is alone. */
export class Tabs {
  readonly #name: string;
  #channel?: BroadcastChannel;
  #heard = () => {};

  /** @param name is the same in all of them */
  constructor(name: string, hear: (message: Message) => void) {
    this.#name = name;
    try {
      this.#channel = new BroadcastChannel(name);
    } catch {
      return; // there is none, or it may not be used
    }
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      hear(data);
      if (data.type === 'tokens') this.#heard();
    };
  }

  tell(message: Message): void {
    this.#channel?.postMessage(message);
  }

  /** Asks for newer tokens, and waits until some were heard of, or nobody seems to have any. */
  async ask(mine: Tokens | undefined): Promise<void> {
    if (!this.#channel) return;
    await new Promise<void>((resolve) => {
      this.#heard = resolve;
      setTimeout(resolve, answerTimeout);
      this.tell({ type: 'ask', session: mine?.session, generation: mine?.generation });
    });
  }

  /** Runs work while no other tab runs any, as far as the browser can see to that. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    let begun = false;
    const begin = () => {
      begun = true;
      return work();
    };
    try {
      return await navigator.locks.request(this.#name, { signal: AbortSignal.timeout(lockTimeout) }, begin);
    } catch (error) {
      if (begun) throw error;
      return work();
    }
  }

  close(): void {
    this.#channel?.close();
    this.#channel = undefined; // what is still under way tells nobody
  }
}
