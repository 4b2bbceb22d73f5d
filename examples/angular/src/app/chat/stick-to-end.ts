import {
  afterNextRender,
  afterRenderEffect,
  DestroyRef,
  Directive,
  ElementRef,
  inject,
  input,
  signal,
  untracked,
} from '@angular/core';

/** How near the end counts as there, in pixels: enough for fractions of a pixel and a small slip. */
const tolerancePx = 24;

/**
 * Keeps a scroller at its end while its content grows and while it shrinks itself, as under a growing composer or an
 * opening keyboard. Where the reader has scrolled up, nothing moves.
 */
@Directive({
  selector: '[appStickToEnd]',
  exportAs: 'stickToEnd',
  host: { '(scroll)': 'follow()' },
})
export class StickToEnd {
  /** Anything that changes when the content does. */
  readonly appStickToEnd = input.required<unknown>();
  /** False while the reader is somewhere above. */
  readonly isAtEnd = signal(true);

  readonly #element: HTMLElement = inject<ElementRef<HTMLElement>>(ElementRef).nativeElement;

  constructor() {
    afterRenderEffect(() => {
      this.appStickToEnd();
      this.stick();
    });
    const destroyRef = inject(DestroyRef);
    afterNextRender(() => {
      const observer = new ResizeObserver(() => this.stick());
      observer.observe(this.#element);
      destroyRef.onDestroy(() => observer.disconnect());
    });
  }

  protected follow(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.#element;
    this.isAtEnd.set(scrollHeight - clientHeight - scrollTop <= tolerancePx);
  }

  /** Goes to the end where the reader was there, or wants to be. */
  stick(now = untracked(this.isAtEnd)): void {
    this.isAtEnd.set(now);
    if (now) this.#element.scrollTop = this.#element.scrollHeight;
  }
}
