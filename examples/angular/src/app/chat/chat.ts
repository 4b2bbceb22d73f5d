import {
  afterNextRender,
  ChangeDetectionStrategy,
  Component,
  computed,
  DestroyRef,
  ElementRef,
  inject,
  viewChild,
} from '@angular/core';
import { announcementsOf } from './announcements';
import { Conversation } from './conversation';
import { hasKeyboard } from './has-keyboard';
import { StickToEnd } from './stick-to-end';
import { TurnView } from './turn-view';

const suggestions = ['What is a response stream?', 'What if the service is busy?', 'What if the connection breaks?'];

/** The page of a conversation. A new question, Stop, and leaving the page close the connection. */
@Component({
  selector: 'app-chat',
  imports: [StickToEnd, TurnView],
  changeDetection: ChangeDetectionStrategy.OnPush,
  templateUrl: './chat.html',
  styleUrl: './chat.css',
})
export class Chat {
  readonly #conversation = inject(Conversation);

  protected readonly suggestions = suggestions;
  protected readonly hasKeyboard = hasKeyboard();
  protected readonly turns = this.#conversation.turns;
  protected readonly isLive = this.#conversation.isLive;
  protected readonly announcements = computed(() => announcementsOf(this.turns().at(-1) ?? null));

  private readonly prompt = viewChild.required<ElementRef<HTMLTextAreaElement>>('prompt');
  private readonly scroller = viewChild.required<ElementRef<HTMLElement>>('scroller');
  private readonly thread = viewChild.required(StickToEnd);

  constructor() {
    inject(DestroyRef).onDestroy(() => this.stop());
    // On a phone, the focus would open the keyboard over the page.
    if (this.hasKeyboard) afterNextRender(() => this.prompt().nativeElement.focus());
  }

  protected ask(question: string): void {
    this.thread().stick(true);
    this.#conversation.ask(question);
  }

  /** The button that was pressed disappears: the focus goes to where the reader goes on. */
  protected suggest(question: string): void {
    this.ask(question);
    (this.hasKeyboard ? this.prompt() : this.scroller()).nativeElement.focus();
  }

  protected again(): void {
    this.thread().stick(true);
    this.#conversation.again();
    this.scroller().nativeElement.focus();
  }

  protected stop(): void {
    this.#conversation.stop();
  }

  protected submit(event: Event): void {
    event.preventDefault();
    const { nativeElement } = this.prompt();
    const question = nativeElement.value.trim();
    if (question === '') return;
    nativeElement.value = '';
    this.ask(question);
  }

  /**
   * Enter sends and Shift+Enter breaks the line, but an Enter that ends a composed character does neither. A phone has
   * no Shift+Enter: there Enter breaks the line, and the button sends.
   */
  protected enter(event: Event): void {
    const { shiftKey, isComposing } = event as KeyboardEvent;
    if (this.hasKeyboard && !shiftKey && !isComposing) this.submit(event);
  }

  /** The one button says Stop while there is something to stop: it stays in place, and keeps the focus. */
  protected press(event: Event): void {
    if (!this.isLive()) return;
    event.preventDefault();
    this.stop();
  }

  protected jumpToLatest(): void {
    this.thread().stick(true);
    this.scroller().nativeElement.focus();
  }
}
