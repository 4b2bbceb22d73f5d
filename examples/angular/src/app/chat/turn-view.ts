import { ChangeDetectionStrategy, Component, computed, input, output, signal } from '@angular/core';
import { toObservable, toSignal } from '@angular/core/rxjs-interop';
import { map, of, switchMap } from 'rxjs';
import { countDown } from '../lambda/count-down';
import { describeError } from '../lambda/describe-error';
import { MarkdownView } from '../markdown/markdown-view';
import { maxAttempts } from './conversation';
import { isLive, type Turn } from './turn';

/** A question, its answer so far, one line that says how the answer fares, and what can be done with it. */
@Component({
  selector: 'app-turn',
  imports: [MarkdownView],
  changeDetection: ChangeDetectionStrategy.OnPush,
  templateUrl: './turn-view.html',
  styleUrl: './turn-view.css',
})
export class TurnView {
  readonly turn = input.required<Turn>();
  readonly isLast = input(false);
  /** The reader wants the question asked once more. */
  readonly again = output();

  protected readonly maxAttempts = maxAttempts;
  protected readonly answer = computed(() => this.turn().answer);
  protected readonly status = computed(() => (this.turn().stopped ? 'stopped' : this.answer().status));
  protected readonly isLive = computed(() => isLive(this.turn()));
  protected readonly retry = computed(() => {
    const answer = this.answer();
    return answer.status === 'retrying' ? answer.retry : undefined;
  });
  protected readonly reason = computed(() => {
    const answer = this.answer();
    return describeError(answer.status === 'failed' ? answer.error : this.retry()?.error);
  });
  protected readonly counts = computed(() => {
    const { chunks, bytes } = this.answer();
    return `${count(bytes, 'byte')} in ${count(chunks, 'chunk')}, shown in ${count(this.turn().updates, 'update')}`;
  });
  protected readonly copied = signal<'no' | 'yes' | 'failed'>('no');

  readonly #countDown = toSignal(
    toObservable(this.retry).pipe(
      switchMap((retry) =>
        retry ? countDown(retry.delayMs).pipe(map((seconds) => ({ retry, seconds }))) : of(undefined),
      ),
    ),
  );
  /** Whole seconds until the next attempt. */
  protected readonly seconds = computed(() => {
    const retry = this.retry();
    const counted = this.#countDown();
    // The count-down begins a moment after its retry.
    return counted?.retry === retry ? counted?.seconds : Math.ceil((retry?.delayMs ?? 0) / 1_000);
  });

  protected async copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.answer().text);
      this.copied.set('yes');
    } catch {
      // The browser refuses, as it does where the page has no permission.
      this.copied.set('failed');
    }
  }
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}
