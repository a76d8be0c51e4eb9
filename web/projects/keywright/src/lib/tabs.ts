import { Tokens } from './tokens';

/** What tabs of one app tell each other. Only pages of the same origin hear it. */
export type Message =
  /** Somebody signed in, or tokens were refreshed; or, as an answer, this is what I have. */
  | { readonly type: 'tokens'; readonly tokens: Tokens; readonly answer: boolean }
  /** Who has tokens that are newer than mine? */
  | { readonly type: 'ask'; readonly session?: string; readonly generation?: number }
  | { readonly type: 'signed-out'; readonly session?: string };

/** How long other tabs may take to answer, in milliseconds. */
const patience = 100;

/** The tabs of the same app in this browser. Where a browser has no such thing, this tab is alone. */
export class Tabs {
  readonly #channel?: BroadcastChannel;
  #heard = () => {};

  /** @param name is the same in all of them */
  constructor(private readonly name: string, hear: (message: Message) => void) {
    if (typeof BroadcastChannel === 'undefined') return;
    this.#channel = new BroadcastChannel(name);
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
      setTimeout(resolve, patience);
      this.tell({ type: 'ask', session: mine?.session, generation: mine?.generation });
    });
  }

  /** Runs work while no other tab runs any. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    return globalThis.navigator?.locks ? navigator.locks.request(this.name, work) : work();
  }

  close(): void {
    this.#channel?.close();
  }
}
