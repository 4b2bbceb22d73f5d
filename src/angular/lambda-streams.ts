import {
  inject,
  InjectionToken,
  Injector,
  makeEnvironmentProviders,
  runInInjectionContext,
  type EnvironmentProviders,
} from '@angular/core';
import type { Observable } from 'rxjs';
import type { LambdaStreamEvent } from '../events.js';
import type { InvokeInputSource } from '../invoke/invoke-input.js';
import type {
  InvokeWithResponseStream,
  InvokeWithResponseStreamOptions,
} from '../invoke/invoke-with-response-stream.js';
import type { LambdaStreamClient } from '../invoke/lambda-stream-client.js';
import { callback, checkOptions, checkValue, objectLike, type OptionRule } from '../shared/check-options.js';

/** Options of {@link provideLambdaStreams}. */
export interface LambdaStreamsOptions {
  /**
   * Invokes the functions: `invokeWithResponseStream`, what `relayedInvoke()` makes, or in tests what `fakeInvoke()`
   * makes. Called in the injection context, so that a function of your own can `inject()`.
   *
   * @defaultValue that of the injector above, for a route that changes the client alone
   */
  readonly invoke?: InvokeWithResponseStream;
  /**
   * The client that `invoke` gets: a `LambdaClient`, or a function that makes one, called once, in the injection
   * context. A relay and a fake need none.
   *
   * @defaultValue that of the injector above
   */
  readonly client?: LambdaStreamClient | (() => LambdaStreamClient);
}

/** The application's Lambda functions, as streams. Made by {@link injectLambdaStreams}. */
export interface LambdaStreams {
  /**
   * Events of one invocation, as `invokeWithResponseStream` gives them: nothing is sent before the subscription, and
   * unsubscribing closes the connection.
   */
  invoke(input: InvokeInputSource, options?: InvokeWithResponseStreamOptions): Observable<LambdaStreamEvent>;
}

const invokeToken = new InjectionToken<InvokeWithResponseStream>('rx-lambda-stream: invoke');
const clientToken = new InjectionToken<LambdaStreamClient>('rx-lambda-stream: client');
const streamsToken = new InjectionToken<LambdaStreams>('rx-lambda-stream: LambdaStreams');

const clientRule: OptionRule = {
  expected: 'a client with send(), or a function that makes one',
  isValid: (value) => callback.isValid(value) || callback.isValid((Object(value) as Partial<LambdaStreamClient>).send),
};

/**
 * Provides the source of all streams of an application, of a route or of a test: one line to change it.
 *
 * Provide it again in a route for another source there; what an option leaves out comes from the injector above.
 *
 * @example
 * bootstrapApplication(App, {
 *   providers: [
 *     provideLambdaStreams({ invoke: invokeWithResponseStream, client: () => new LambdaClient({ region }) }),
 *     // or, without the SDK and without credentials in the page:
 *     // provideLambdaStreams({ invoke: relayedInvoke({ url: '/lambda' }) }),
 *   ],
 * });
 *
 * @param options.invoke - Invokes the functions. @defaultValue that of the injector above
 * @param options.client - The client that `invoke` gets. @defaultValue that of the injector above
 * @throws TypeError at the call for an option of another type.
 */
export function provideLambdaStreams(options: LambdaStreamsOptions): EnvironmentProviders {
  checkValue('provideLambdaStreams', 'options', options, objectLike('{ invoke, client }'));
  checkOptions('provideLambdaStreams', options, { invoke: callback, client: clientRule });
  const { invoke, client } = options;
  return makeEnvironmentProviders([
    ...(invoke ? [{ provide: invokeToken, useValue: invoke }] : []),
    ...(typeof client === 'function' ? [{ provide: clientToken, useFactory: client }] : []),
    ...(typeof client === 'object' ? [{ provide: clientToken, useValue: client }] : []),
    // Provided anew in each injector, because the streams of the injector above use its own source.
    { provide: streamsToken, useFactory: createLambdaStreams },
  ]);
}

/**
 * Returns the application's Lambda functions, from the source that {@link provideLambdaStreams} set.
 *
 * Call it where Angular's `inject()` may be called: in a field or a constructor of a component, in a factory.
 *
 * @example
 * export class Orders {
 *   readonly #streams = injectLambdaStreams();
 *   readonly latest = toSignal(this.#streams.invoke({ FunctionName: 'orders' }).pipe(parseNdjson<Order>()));
 * }
 *
 * @throws Error with Angular's NG0203 outside of an injection context, and one that says what to provide where nothing
 * is provided.
 */
export function injectLambdaStreams(): LambdaStreams {
  const streams = inject(streamsToken, { optional: true });
  if (!streams) throw new Error(`injectLambdaStreams: nothing is provided. ${advice}`);
  return streams;
}

const advice =
  'Add provideLambdaStreams({ invoke, client }) to the providers, with invokeWithResponseStream and a LambdaClient, ' +
  'or with relayedInvoke() and no client';

function createLambdaStreams(): LambdaStreams {
  const injector = inject(Injector);
  const invoke = inject(invokeToken, { optional: true });
  if (!invoke) throw new Error(`provideLambdaStreams: no injector provides \`invoke\`. ${advice}`);
  return {
    invoke: (input, options) =>
      runInInjectionContext(injector, () =>
        // The client is made at the first invocation. An `invoke` that needs a client and gets none says so itself.
        invoke(inject(clientToken, { optional: true }) as LambdaStreamClient, input, options),
      ),
  };
}
