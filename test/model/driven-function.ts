import { Observable, type Subscriber } from 'rxjs';
import type { LambdaStreamEvent } from 'rx-lambda-stream';
import { chunkEvent, completeEvent, headEvent } from 'rx-lambda-stream/testing';
import { failures } from './failures.js';
import { toBytes } from './rules/events.js';
import type { Plan } from './plan.js';
import type { ResponseStep } from './steps.js';

/** A function whose responses the test drives by hand. */
export interface DrivenFunction {
  /** How many responses were begun, and how many were torn down, for whatever reason. */
  readonly activations: number;
  readonly teardowns: number;
  /** A cold response. */
  respond(): Observable<LambdaStreamEvent>;
  /** The open response does this; without one, nothing does. */
  take(step: ResponseStep): void;
  /** Responses that are over emit all the same, as a badly written source does. */
  haunt(): void;
}

export function createDrivenFunction(plan: Pick<Plan, 'responses'>, name: string): DrivenFunction {
  let activations = 0;
  let teardowns = 0;
  const over: Subscriber<LambdaStreamEvent>[] = [];
  let take: ((step: ResponseStep) => void) | undefined;

  function open(subscriber: Subscriber<LambdaStreamEvent>): void {
    const { document, prologue } = plan.responses[activations % plan.responses.length] ?? plan.responses[0];
    activations++;
    const requestId = `${name}#${activations}`;
    let sent = 0;

    const own = (step: ResponseStep): void => {
      switch (step.does) {
        case 'head':
          subscriber.next(headEvent({ requestId }));
          break;
        case 'empty head':
          subscriber.next(headEvent({ requestId, statusCode: 204 }));
          break;
        case 'chunk': {
          const bytes = document.slice(sent, sent + step.bytes);
          sent += bytes.length;
          subscriber.next(chunkEvent(toBytes(bytes)));
          break;
        }
        case 'unknown':
          subscriber.next({ type: 'unknown', eventType: 'New', headers: {}, payload: toBytes('new') });
          break;
        case 'complete':
          subscriber.next(completeEvent());
          break;
        case 'function error':
          subscriber.next(completeEvent({ errorCode: 'Unhandled' }));
          break;
        case 'end':
          subscriber.complete();
          break;
        case 'fail':
          subscriber.error(failures[step.how]);
      }
    };

    take = own;
    subscriber.add(() => {
      teardowns++;
      over.push(subscriber);
      if (take === own) take = undefined;
    });
    // No check for what is closed meanwhile: whoever is subscribed has to bear it.
    for (const step of prologue) own(step);
  }

  return {
    get activations() {
      return activations;
    },
    get teardowns() {
      return teardowns;
    },
    respond: () => new Observable(open),
    take: (step) => take?.(step),
    haunt() {
      for (const subscriber of over) {
        subscriber.next(headEvent({ requestId: 'a ghost' }));
        subscriber.next(chunkEvent('boo'));
        subscriber.complete();
      }
    },
  };
}
