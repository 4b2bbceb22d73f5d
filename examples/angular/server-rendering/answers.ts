import { ChangeDetectionStrategy, Component, computed } from '@angular/core';
import { rxResource } from '@angular/core/rxjs-interop';
import { RouterOutlet, type Routes } from '@angular/router';
import { toSnapshots } from 'rx-lambda-stream';
import { injectLambdaStreams, streamResource } from 'rx-lambda-stream/angular';

const template = `<h1>Answer</h1><p>{{ status() }}: {{ text() }}</p>`;
const changeDetection = ChangeDetectionStrategy.OnPush;

/** The server waits for the text, and the page shows it without asking. */
@Component({ selector: 'app-with-id', template, changeDetection })
export class WithId {
  // #region with-id
  readonly #streams = injectLambdaStreams();
  readonly #answer = streamResource({
    id: 'answer',
    params: () => ({ prompt: 'Hello?' }),
    stream: ({ params }) => this.#streams.invoke({ FunctionName: 'chat', Payload: params }),
  });
  // #endregion

  protected readonly status = this.#answer.status;
  protected readonly text = this.#answer.text;
}

/** The server renders the page without the text, and the page asks. */
@Component({ selector: 'app-without-id', template, changeDetection })
export class WithoutId {
  readonly #streams = injectLambdaStreams();
  readonly #answer = streamResource({
    params: () => ({ prompt: 'Hello?' }),
    stream: ({ params }) => this.#streams.invoke({ FunctionName: 'chat', Payload: params }),
  });

  protected readonly status = this.#answer.status;
  protected readonly text = this.#answer.text;
}

/** Angular's own resource, for comparison. */
@Component({ selector: 'app-rx-resource', template, changeDetection })
export class RxResource {
  readonly #streams = injectLambdaStreams();
  // #region rx-resource
  /** Invokes on the server, and once more in the page. */
  readonly #answer = rxResource({
    params: () => ({ prompt: 'Hello?' }),
    stream: ({ params }) => this.#streams.invoke({ FunctionName: 'chat', Payload: params }).pipe(toSnapshots()),
  });
  // #endregion

  protected readonly status = this.#answer.status;
  protected readonly text = computed(() => this.#answer.value()?.text);
}

/** Angular's own resource with its `id`, for comparison. */
@Component({ selector: 'app-rx-resource-with-id', template, changeDetection })
export class RxResourceWithId {
  readonly #streams = injectLambdaStreams();
  // #region rx-resource-with-id
  /** Invokes on the server, and hands over the first snapshot, which is empty. */
  readonly #answer = rxResource({
    id: 'rx-answer',
    params: () => ({ prompt: 'Hello?' }),
    stream: ({ params }) => this.#streams.invoke({ FunctionName: 'chat', Payload: params }).pipe(toSnapshots()),
  });
  // #endregion

  protected readonly status = this.#answer.status;
  protected readonly text = computed(() => this.#answer.value()?.text);
}

export const routes: Routes = [
  { path: 'with-id', component: WithId },
  { path: 'without-id', component: WithoutId },
  { path: 'rx-resource', component: RxResource },
  { path: 'rx-resource-with-id', component: RxResourceWithId },
];

@Component({ selector: 'app-root', imports: [RouterOutlet], template: `<router-outlet />`, changeDetection })
export class Root {}
