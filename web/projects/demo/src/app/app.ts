import { Component, computed, effect, ElementRef, inject, signal } from '@angular/core';
import { NavigationError, Router, RouterLink, RouterOutlet } from '@angular/router';
import { Keywright } from '@keywright/angular';
import { isSaidByForm, Problem } from './problem';

@Component({
  selector: 'app-root',
  imports: [Problem, RouterLink, RouterOutlet],
  templateUrl: './app.html',
})
export class App {
  protected readonly keywright = inject(Keywright);
  readonly #router = inject(Router);
  readonly #element: HTMLElement = inject(ElementRef).nativeElement;

  protected readonly path = computed(() => this.#router.lastSuccessfulNavigation() && this.#router.url.split(/[?#]/)[0]);

  protected readonly problem = computed(() => {
    const error = this.keywright.error();
    return isSaidByForm(error) ? undefined : error;
  });

  /** The code of the page that somebody asked for did not load. */
  protected readonly pageFailed = signal(false);

  constructor() {
    this.#router.events.subscribe((event) => this.pageFailed.set(event instanceof NavigationError));
    this.#leaveAfterSignOut();
  }

  /** Whoever signs out, here or in another tab, sees the start page. A session that ends by itself leaves the page, and work, alone. */
  #leaveAfterSignOut(): void {
    let wasSignedIn = false;
    effect(() => {
      const isSignedIn = this.keywright.status() === 'signed-in';
      if (wasSignedIn && !isSignedIn && !this.keywright.error()) this.#router.navigateByUrl('/');
      wasSignedIn = isSignedIn;
    });
  }

  /** Keyboards and screen readers go on at the heading of the new page. */
  protected focusHeading(): void {
    if (!this.#router.lastSuccessfulNavigation()) return; // the first page has the focus of a page that was loaded
    this.#element.querySelector('h1')?.focus();
  }
}
