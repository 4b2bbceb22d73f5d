import { computed, Injectable, linkedSignal, signal } from '@angular/core';
import { retryInvocation, type Snapshot } from 'rx-lambda-stream';
import { injectLambdaStreams, streamResource } from 'rx-lambda-stream/angular';
import { isLive, type Turn } from './turn';

/** How often a question is asked at most, the first time included. */
export const maxAttempts = 4;

interface Question {
  /** Sent along, so that the function knows another attempt at a question from another question. */
  readonly id: string;
  readonly text: string;
}

const connecting: Snapshot = { status: 'connecting', text: '', bytes: 0, chunks: 0 };

/** A conversation with the function `chat`. It outlives the page that shows it. */
@Injectable({ providedIn: 'root' })
export class Conversation {
  readonly #past = signal<readonly Turn[]>([]);

  // #region answer
  readonly #streams = injectLambdaStreams();
  readonly #question = signal<Question | undefined>(undefined);

  /** The answer to the last question. A new question closes its connection, and so does `undefined`. */
  readonly #answer = streamResource({
    params: () => this.#question(),
    stream: ({ params: { id, text } }) =>
      this.#streams
        .invoke({ FunctionName: 'chat', Payload: { prompt: text, turn: id } })
        .pipe(retryInvocation({ maxAttempts })),
  });
  // #endregion

  readonly #current = linkedSignal<{ question: Question | undefined; answer: Snapshot | undefined }, Turn | null>({
    source: () => ({ question: this.#question(), answer: this.#answer.progress() }),
    computation: ({ question, answer }, previous) => {
      if (question === undefined) return null;
      const { id, text } = question;
      const updates = previous?.value?.id === id ? previous.value.updates + 1 : 1;
      return { id, question: text, answer: answer ?? connecting, updates, stopped: false };
    },
  });

  readonly turns = computed(() => {
    const current = this.#current();
    return current === null ? this.#past() : [...this.#past(), current];
  });
  readonly isLive = computed(() => {
    const current = this.#current();
    return current !== null && isLive(current);
  });

  ask(text: string): void {
    this.#settle();
    this.#question.set({ id: crypto.randomUUID(), text });
  }

  /** Asks the last question once more: the new answer takes the old one's place. */
  again(): void {
    const last = this.turns().at(-1);
    if (last === undefined) return;
    if (this.#current() === null) this.#past.update((past) => past.slice(0, -1));
    this.#question.set({ id: crypto.randomUUID(), text: last.question });
  }

  /** Closes the connection. What arrived stays. */
  stop(): void {
    if (!this.isLive()) return;
    this.#settle();
    this.#question.set(undefined);
  }

  /** The current turn becomes a past one, as it is. */
  #settle(): void {
    const current = this.#current();
    if (current !== null) this.#past.update((past) => [...past, { ...current, stopped: isLive(current) }]);
  }
}
