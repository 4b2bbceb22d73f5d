import { ChangeDetectionStrategy, Component, computed, ElementRef, signal, viewChild } from '@angular/core';
import { Subject } from 'rxjs';
import { announcementsOf } from './announcements';
import { currentTurn } from './current-turn';
import { StickToEnd } from './stick-to-end';
import { isLive, type Turn } from './turn';
import { TurnView } from './turn-view';

const suggestions = ['What is a response stream?', 'What if the service is busy?', 'What if the connection breaks?'];

/** A conversation with the function `chat`. A new question, Stop, and leaving the page close the connection. */
@Component({
  selector: 'app-chat',
  imports: [StickToEnd, TurnView],
  changeDetection: ChangeDetectionStrategy.OnPush,
  templateUrl: './chat.html',
  styleUrl: './chat.css',
})
export class Chat {
  /** A question, or null: nothing more of the answer. A Subject, since `toObservable(a signal)` speaks a moment later. */
  readonly #asked = new Subject<string | null>();
  readonly #past = signal<readonly Turn[]>([]);

  readonly #current = currentTurn(this.#asked);

  protected readonly suggestions = suggestions;
  protected readonly turns = computed(() => {
    const current = this.#current();
    return current === null ? this.#past() : [...this.#past(), current];
  });
  protected readonly isLive = computed(() => {
    const current = this.#current();
    return current !== null && isLive(current);
  });
  protected readonly announcements = computed(() => announcementsOf(this.turns().at(-1) ?? null));

  private readonly prompt = viewChild.required<ElementRef<HTMLTextAreaElement>>('prompt');
  private readonly thread = viewChild.required(StickToEnd);

  protected ask(question: string): void {
    this.#settle();
    this.thread().stick(true);
    this.#asked.next(question);
  }

  protected stop(): void {
    if (!this.isLive()) return;
    this.#settle();
    this.#asked.next(null);
  }

  protected submit(event: Event): void {
    event.preventDefault();
    const { nativeElement } = this.prompt();
    const question = nativeElement.value.trim();
    if (question === '') return;
    nativeElement.value = '';
    this.ask(question);
  }

  /** Enter sends and Shift+Enter breaks the line, but an Enter that ends a composed character does neither. */
  protected enter(event: Event): void {
    const { shiftKey, isComposing } = event as KeyboardEvent;
    if (!shiftKey && !isComposing) this.submit(event);
  }

  /** The one button says Stop while there is something to stop: it stays in place, and keeps the focus. */
  protected press(event: Event): void {
    if (!this.isLive()) return;
    event.preventDefault();
    this.stop();
  }

  /** The current turn becomes a past one, as it is: text that has arrived stays. */
  #settle(): void {
    const current = this.#current();
    if (current !== null) this.#past.update((past) => [...past, { ...current, stopped: isLive(current) }]);
  }
}
