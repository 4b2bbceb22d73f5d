import { inject, Injectable, InjectionToken } from '@angular/core';
import { LambdaClient } from '@aws-sdk/client-lambda';
import {
  invokeWithResponseStream,
  type InvokeInputSource,
  type InvokeWithResponseStream,
  type InvokeWithResponseStreamOptions,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import type { Observable } from 'rxjs';

/** How functions are invoked. A component's test provides `fakeInvoke({ … })` in its place. */
export const INVOKE = new InjectionToken<InvokeWithResponseStream>('InvokeWithResponseStream', {
  factory: () => invokeWithResponseStream,
});

/** The application's Lambda functions, as streams. */
@Injectable({ providedIn: 'root' })
export class LambdaStreams {
  readonly #client = inject(LambdaClient);
  readonly #invoke = inject(INVOKE);

  /** Events of one invocation: nothing is sent before the subscription, and unsubscribing closes the connection. */
  invoke(input: InvokeInputSource, options?: InvokeWithResponseStreamOptions): Observable<LambdaStreamEvent> {
    return this.#invoke(this.#client, input, options);
  }
}
