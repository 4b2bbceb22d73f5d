import { ChangeDetectionStrategy, Component, computed, input, output } from '@angular/core';
import { describeError } from '../lambda/describe-error';
import type { Turn } from './turn';

/** A question, its answer so far, and one line that says how the answer fares. */
@Component({
  selector: 'app-turn',
  changeDetection: ChangeDetectionStrategy.OnPush,
  styleUrl: './turn-view.css',
  template: `
    <article [attr.data-status]="status()">
      <p class="question"><span class="visually-hidden">You asked: </span>{{ turn().question }}</p>
      <div class="answer">
        @for (line of lines(); track $index) {
          <p [textContent]="line"></p>
        }
      </div>
      <div class="status">
        <span class="dot" aria-hidden="true"></span>
        @switch (status()) {
          @case ('connecting') {
            <span>Connecting…</span>
          }
          @case ('retrying') {
            <span
              >{{ reason() }} Retrying in {{ answer().retryInSeconds }} s, attempt {{ answer().retry?.attempt }}</span
            >
          }
          @case ('streaming') {
            <span>Streaming · {{ counts() }}</span>
          }
          @case ('stopped') {
            <span>Stopped{{ answer().chunks ? ' · ' + counts() : '' }}</span>
          }
          @case ('complete') {
            <span>Complete · {{ counts() }}</span>
          }
          @case ('failed') {
            <span>{{ reason() }}{{ answer().text ? ' What arrived is kept.' : '' }}</span>
            <button type="button" (click)="again.emit()">Try again</button>
          }
        }
      </div>
    </article>
  `,
})
export class TurnView {
  readonly turn = input.required<Turn>();
  /** The reader wants the question asked once more. */
  readonly again = output();

  protected readonly answer = computed(() => this.turn().answer);
  /** One element a line: while the last one grows, the browser lays out nothing above it. */
  protected readonly lines = computed(() => this.answer().text.split('\n'));
  protected readonly status = computed(() => (this.turn().stopped ? 'stopped' : this.answer().status));
  protected readonly reason = computed(() => describeError(this.answer().retry?.error ?? this.answer().error));
  protected readonly counts = computed(() => {
    const { chunks, updates } = this.answer();
    return `${count(chunks, 'chunk')} in ${count(updates, 'update')}`;
  });
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}
