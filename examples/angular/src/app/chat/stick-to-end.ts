import { afterRenderEffect, Directive, ElementRef, inject, input } from '@angular/core';

/** How near the end counts as there, in pixels: enough for fractions of a pixel and a small slip. */
const tolerancePx = 24;

/** Keeps a scroller at its end while its content grows, unless the reader has scrolled up: then nothing moves. */
@Directive({
  selector: '[appStickToEnd]',
  host: { '(scroll)': 'follow()', '(window:resize)': 'stick()' },
})
export class StickToEnd {
  /** Anything that changes when the content does. */
  readonly appStickToEnd = input.required<unknown>();

  readonly #element: HTMLElement = inject<ElementRef<HTMLElement>>(ElementRef).nativeElement;
  #isAtEnd = true;

  constructor() {
    afterRenderEffect(() => {
      this.appStickToEnd();
      this.stick();
    });
  }

  protected follow(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.#element;
    this.#isAtEnd = scrollHeight - clientHeight - scrollTop <= tolerancePx;
  }

  /** Goes to the end where the reader was there, or wants to be. */
  stick(now = this.#isAtEnd): void {
    this.#isAtEnd = now;
    if (now) this.#element.scrollTop = this.#element.scrollHeight;
  }
}
