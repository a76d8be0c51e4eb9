import '@angular/compiler';
import { getTestBed } from '@angular/core/testing';
import { BrowserTestingModule, platformBrowserTesting } from '@angular/platform-browser/testing';
import { locks } from 'node:worker_threads';
import { afterEach } from 'vitest';

// jsdom has no Web Locks; Node has.
Object.defineProperty(navigator, 'locks', { value: locks });

// oauth4webapi asks for `instanceof ArrayBuffer` what WebCrypto returns, which is not of jsdom's realm.
globalThis.ArrayBuffer = (await crypto.subtle.digest('SHA-256', new Uint8Array(1))).constructor as ArrayBufferConstructor;

getTestBed().initTestEnvironment(BrowserTestingModule, platformBrowserTesting());
afterEach(() => void getTestBed().resetTestingModule());
