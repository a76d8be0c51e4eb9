import { Component, computed, effect, ElementRef, inject } from '@angular/core';
import { isActive, Router, RouterLink, RouterOutlet } from '@angular/router';
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

  protected readonly pages = [
    { path: '/profile', name: 'Profile' },
    { path: '/api', name: 'API' },
    { path: '/tokens', name: 'Tokens' },
  ].map((page) => ({ ...page, isActive: isActive(page.path, this.#router) }));

  protected readonly problem = computed(() => {
    const error = this.keywright.error();
    return isSaidByForm(error) ? undefined : error;
  });

  constructor() {
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
