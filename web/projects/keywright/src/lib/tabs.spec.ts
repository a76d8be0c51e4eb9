import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { FakeIssuer, startIssuer } from '../../spec/issuer';
import { ada, basic, direct, later, notes, signedIn, storing, Tab } from '../../spec/tab';

const bob = { email: 'bob@example.com', password: 'right' };

let issuer: FakeIssuer;

beforeEach(async () => {
  issuer = await startIssuer();
  issuer.accepts = () => true;
});

/** Two tabs in which Ada is signed in. */
async function twoTabs(opening = direct): Promise<[Tab, Tab]> {
  const first = await Tab.open(opening);
  await first.keywright.signIn(ada);
  const second = await Tab.open(opening);
  expect(await second.keywright.ready()).toBe('signed-in');
  return [first, second];
}

/** Two such tabs, of which the browser has put the second to sleep. It hears what it was told when it wakes. */
async function oneAsleep(): Promise<[Tab, Tab, wake: () => Promise<void>]> {
  const heard: (() => void)[] = [];
  let hear = (work: () => void) => work();
  class Channel extends BroadcastChannel {
    override set onmessage(listener: (event: MessageEvent) => void) {
      super.onmessage = (event: MessageEvent) => hear(() => listener(event));
    }
  }
  const first = await Tab.open(direct);
  await first.keywright.signIn(ada);
  const awake = BroadcastChannel;
  vi.stubGlobal('BroadcastChannel', Channel);
  const second = await Tab.open(direct);
  expect(await second.keywright.ready()).toBe('signed-in');
  vi.stubGlobal('BroadcastChannel', awake);
  hear = (work) => void heard.push(work);
  return [first, second, async () => {
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(1)); // the end, and the new sign-in
    for (const work of heard) work();
    hear = (work) => work();
  }];
}

/** Signs out before the app knows its configuration. */
async function signOutAtStart(): Promise<void> {
  let configure = (_: typeof basic) => {};
  const tab = await Tab.open({ config: () => new Promise((resolve) => (configure = resolve)) });
  const signedOut = tab.keywright.signOut();
  configure(basic);
  await signedOut;
  expect(await tab.keywright.ready()).toBe('signed-out');
  expect((await tab.leaves()).pathname).toBe('/end_session');
  expect(tab.wasLeft).toBe(false);
  expect(Object.values(localStorage)).toEqual(['null']);
}

const rightTime = Date.now.bind(Date);

/** Sets the clock of the device so many seconds off. */
function setClock(off: number): void {
  vi.spyOn(Date, 'now').mockImplementation(() => rightTime() + off * 1000);
}

/** Holds the issuer's next answer at a path back. @returns what lets it go on, perhaps with another answer */
function hold(path: string): { go: (answer?: Response) => void } {
  const held = { go: (_?: Response) => {} };
  const before = issuer.count(path);
  const otherwise = issuer.instead;
  issuer.instead = (asked, form) => {
    if (asked !== path || issuer.count(path) > before + 1) return otherwise(asked, form);
    return new Promise((resolve) => (held.go = (answer) => resolve(answer as Response)));
  };
  return held;
}

/** Everybody who signs in from now on is somebody else. */
function becomeBob(): void {
  Object.assign(issuer.person, { sub: 'usr_bob', name: 'Bob' });
}

function tokensSent(): (string | undefined)[] {
  return issuer.requests.filter(({ path }) => path === notes).map(({ authorization }) => authorization);
}

describe('a refresh that is under way while somebody signs in elsewhere', () => {
  it.each([
    ['succeeds', () => Response.json({ access_token: 'old', refresh_token: 'old', token_type: 'Bearer', expires_in: 600 })],
    ['is refused', () => Response.json({ error: 'invalid_grant' }, { status: 400 })],
  ])('changes nothing when it %s', async (_, answer) => {
    const [first, second] = await twoTabs();
    later(600);
    const held = hold('/token');
    const request = first.get(notes).catch(() => {});
    await vi.waitFor(() => expect(issuer.count('/token')).toBe(1));
    await second.keywright.signIn(ada);
    await vi.waitFor(() => expect(first.keywright.authenticationAge()).toBeLessThan(5));
    held.go(answer());
    await request;
    await first.get(notes);
    expect(first.keywright.status()).toBe('signed-in');
    expect(second.keywright.status()).toBe('signed-in');
    expect(second.keywright.authenticationAge()).toBeLessThan(5);
    expect(tokensSent().at(-1)).toBe(`Bearer ${issuer.newest}`);
    expect(tokensSent()).not.toContain('Bearer old');
  });
});

describe('the end of a session', () => {
  it('that is heard late ends no later one', async () => {
    const [first, second, wake] = await oneAsleep();
    issuer.instead = (path) => (path === '/token' ? Response.json({ error: 'invalid_grant' }, { status: 400 }) : undefined);
    later(600);
    await first.get(notes);
    expect(first.keywright.error()).toMatchObject({ code: 'session-ended' });
    issuer.instead = () => undefined;
    await first.keywright.signIn(ada);
    await wake();
    expect(await first.get(notes)).toEqual({ token: 'access-2' });
    expect([first, second].map(({ keywright }) => keywright.status())).toEqual(['signed-in', 'signed-in']);
  });
});

describe('another person', () => {
  it('takes the place of nobody on the screen', async () => {
    const [first, second] = await twoTabs();
    becomeBob();
    await second.keywright.signIn(bob);
    await vi.waitFor(() => expect(first.keywright.error()).toMatchObject({ code: 'session-ended' }));
    expect(first.keywright.user()).toBeUndefined();
    expect(second.keywright.user()?.id).toBe('usr_bob');
    const third = await Tab.open(direct);
    await third.keywright.ready();
    expect(third.keywright.user()?.id).toBe('usr_bob');
    later(600);
    await second.get(notes); // with tokens that are new to the others
    await vi.waitFor(async () => expect(await third.get(notes)).toEqual({ token: issuer.newest }));
    expect(first.keywright.error()).toMatchObject({ code: 'session-ended' });
    expect(first.keywright.user()).toBeUndefined();
  });

  it('does not make requests that somebody began before, in the same tab', async () => {
    const tab = await Tab.open(direct);
    await tab.keywright.signIn(ada);
    later(600);
    const held = hold('/token');
    const request = tab.get(notes).catch(() => {});
    await vi.waitFor(() => expect(issuer.count('/token')).toBe(1));
    await tab.keywright.signOut();
    becomeBob();
    await tab.keywright.signIn(bob);
    held.go();
    await request;
    expect(tokensSent()).toStrictEqual([undefined]);
  });

  it('does not make the requests again that were refused to somebody', async () => {
    const [first, second] = await twoTabs();
    const held = hold(notes);
    const request = first.get(notes);
    await vi.waitFor(() => expect(issuer.count(notes)).toBe(1));
    becomeBob();
    await second.keywright.signIn(bob);
    await vi.waitFor(() => expect(first.keywright.user()).toBeUndefined());
    held.go(Response.json({}, { status: 401 }));
    await expect(request).rejects.toMatchObject({ status: 401 });
    expect(tokensSent()).toEqual(['Bearer access-1']);
  });
});

describe('a sign-out', () => {
  it('ends every sign-in, also two that came at once', async () => {
    const tabs = [await Tab.open(direct), await Tab.open(direct)];
    await Promise.all(tabs.map(({ keywright }) => keywright.ready()));
    await Promise.all(tabs.map(({ keywright }) => keywright.signIn(ada)));
    await tabs[0].keywright.signOut();
    await vi.waitFor(() => expect(tabs.map(({ keywright }) => keywright.status())).toEqual(['signed-out', 'signed-out']));
  });

  it('lasts that is asked for while the app starts', async () => {
    (await signedIn(issuer)).close();
    await signOutAtStart();
  });

  it('that is asked for while the app starts is heard of in another tab', async () => {
    const other = await signedIn(issuer);
    await signOutAtStart();
    await vi.waitFor(() => expect(other.keywright.status()).toBe('signed-out'));
  });

  it('is heard of although the clock was set back', async () => {
    const [first, second] = await twoTabs();
    setClock(-600);
    await first.keywright.signOut();
    await vi.waitFor(() => expect(second.keywright.status()).toBe('signed-out'));
  });

  it('ends no later sign-in, although the clock was set back', async () => {
    const [first, second] = await twoTabs();
    await first.keywright.signOut();
    await vi.waitFor(() => expect(second.keywright.status()).toBe('signed-out'));
    setClock(-600);
    await second.keywright.signIn(ada);
    await vi.waitFor(() => expect(first.keywright.status()).toBe('signed-in'));
    setClock(0.01); // it is as late again as when somebody signed out
    later(600);
    const { token } = await second.get(notes);
    expect(await first.get(notes)).toEqual({ token });
    expect([first.keywright.status(), second.keywright.status()]).toEqual(['signed-in', 'signed-in']);
  });

  it('undoes a question to the issuer whose answer comes after it', async () => {
    const first = await signedIn(issuer);
    first.close();
    const asking = await Tab.open();
    const callback = issuer.authorize(await asking.leaves());
    asking.close();
    localStorage.setItem(Object.keys(localStorage)[0], 'null'); // as another tab does when somebody signs out
    const back = await Tab.open({ url: callback.href });
    expect(await back.keywright.ready()).toBe('signed-out');
    expect(back.keywright.error()).toBeUndefined();
    expect(issuer.count('/token')).toBe(1);
    expect(Object.values(localStorage)).toEqual(['null']);
  });

  it('that is heard late ends no later sign-in', async () => {
    const [first, second, wake] = await oneAsleep();
    await first.keywright.signOut();
    setClock(1);
    await first.keywright.signIn(ada);
    await wake();
    expect(await first.get(notes)).toEqual({ token: 'access-2' });
    expect([first, second].map(({ keywright }) => keywright.status())).toEqual(['signed-in', 'signed-in']);
  });

  it('that was not heard is not undone by who opens a guarded page', async () => {
    vi.stubGlobal('BroadcastChannel', undefined);
    const [first, second] = await twoTabs(storing);
    issuer.instead = (path) => (path === '/revoke' ? Promise.reject(new TypeError('Failed to fetch')) : undefined);
    await first.keywright.signOut();
    later(600);
    const refreshes = issuer.count('/token');
    expect(await second.keywright.ready()).toBe('signed-out');
    expect(issuer.count('/token')).toBe(refreshes);
    expect(Object.values(localStorage)).toEqual(['null']);
  });

  it('that was not heard is not undone by an API that refuses a token', async () => {
    vi.stubGlobal('BroadcastChannel', undefined);
    const [first, second] = await twoTabs(storing);
    issuer.instead = (path) => (path === '/revoke' ? Promise.reject(new TypeError('Failed to fetch')) : undefined);
    const held = hold(notes);
    const request = second.get(notes).catch(() => {});
    await vi.waitFor(() => expect(issuer.count(notes)).toBe(1));
    await first.keywright.signOut();
    held.go(Response.json({}, { status: 401 }));
    await request;
    expect(second.keywright.status()).toBe('signed-out');
    expect(Object.values(localStorage)).toEqual(['null']);
  });

  it('keeps a tab that starts at that moment from asking the issuer', async () => {
    const first = await signedIn(issuer);
    const tab = await Tab.open();
    await first.keywright.signOut();
    expect(await tab.keywright.ready()).toBe('signed-out');
    expect(tab.wasLeft).toBe(false);
  });

  it('is seen at the next request by a tab that did not hear of it, such as one that the browser had put aside', async () => {
    vi.stubGlobal('BroadcastChannel', undefined);
    const first = await Tab.open(storing);
    await first.keywright.signIn(ada);
    const second = await Tab.open(storing);
    expect(await second.keywright.ready()).toBe('signed-in');
    await first.keywright.signOut();
    expect(second.keywright.status()).toBe('signed-in');
    await second.get(notes);
    expect(tokensSent()).toStrictEqual([undefined]);
    expect(second.keywright.status()).toBe('signed-out');
    expect(Object.values(localStorage)).toEqual(['null']);
  });
});

it('two sign-ins of one person that did not hear of each other go on with one', async () => {
  vi.stubGlobal('BroadcastChannel', undefined);
  const tabs = [await Tab.open(storing), await Tab.open(storing)];
  for (const { keywright } of tabs) await keywright.ready();
  for (const { keywright } of tabs) await keywright.signIn(ada);
  later(600);
  expect(await tabs[0].get(notes)).toEqual({ token: issuer.newest });
  expect(issuer.count('/revoke')).toBe(0);
});

describe('whatever the browser does', () => {
  it('a suspended tab keeps no other from refreshing', async () => {
    const [first] = await twoTabs();
    void navigator.locks.request('keywright https://id.example.com direct', () => new Promise<void>((release) => onTestFinished(() => release())));
    const timeout = AbortSignal.timeout;
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((milliseconds) => timeout(milliseconds / 1000));
    later(600);
    expect(await first.get(notes)).toEqual({ token: 'access-2' });
  });

  it.each([
    ['channels', () => vi.stubGlobal('BroadcastChannel', vi.fn(function () { throw new DOMException('denied', 'SecurityError'); }))],
    ['locks', () => vi.spyOn(navigator.locks, 'request').mockRejectedValue(new DOMException('denied', 'SecurityError'))],
  ])('it works without %s', async (_, forbid) => {
    forbid();
    const tab = await Tab.open(direct);
    expect(await tab.keywright.signIn(ada)).toBe(true);
    later(600);
    expect(await tab.get(notes)).toEqual({ token: 'access-2' });
    await tab.keywright.signOut();
    expect(tab.keywright.status()).toBe('signed-out');
  });

  it.each([403, 404, 408, 502])('an answer %i of a proxy ends no session', async (status) => {
    const [first, second] = await twoTabs();
    issuer.instead = (path) => (path === '/token' ? new Response('<h1>No</h1>', { status, headers: { 'Content-Type': 'text/html' } }) : undefined);
    later(590);
    expect(await first.get(notes)).toEqual({ token: 'access-1' });
    expect(first.keywright.error()).toBeDefined();
    issuer.instead = () => undefined;
    expect(await first.get(notes)).toEqual({ token: 'access-2' });
    expect(second.keywright.status()).toBe('signed-in');
  });

  it('a tab that hears nobody does not end the others', async () => {
    const first = await Tab.open(direct);
    await first.keywright.signIn(ada);
    vi.stubGlobal('BroadcastChannel', class { postMessage() {} close() {} });
    const deaf = await Tab.open(direct);
    expect(await deaf.keywright.ready()).toBe('signed-out');
    later(600);
    expect(await first.get(notes)).toEqual({ token: 'access-2' });
  });
});
