import { inject, type Signal } from '@angular/core';
import { takeUntilDestroyed, toSignal } from '@angular/core/rxjs-interop';
import { retryInvocation } from 'rx-lambda-stream';
import { map, of, switchMap, type Observable } from 'rxjs';
import { LambdaStreams } from '../lambda/lambda-streams';
import { toAnswers } from './answer';
import type { Turn } from './turn';

/** The last question and its answer as it streams in. A new question, null, and the component's end cancel it. */
export function currentTurn(asked: Observable<string | null>): Signal<Turn | null> {
  const streams = inject(LambdaStreams);
  return toSignal(
    asked.pipe(
      switchMap((question, id) =>
        question === null
          ? of(null)
          : streams.invoke({ FunctionName: 'chat', Payload: { prompt: question } }).pipe(
              retryInvocation(),
              toAnswers(), // toSnapshots(), and a count-down while it retries
              map((answer): Turn => ({ id, question, answer, stopped: false })),
            ),
      ),
      takeUntilDestroyed(),
    ),
    { initialValue: null },
  );
}
