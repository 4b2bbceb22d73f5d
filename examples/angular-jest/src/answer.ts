import { Component, input } from '@angular/core';
import { injectLambdaStreams, streamResource } from 'rx-lambda-stream/angular';

@Component({ selector: 'app-answer', template: `<p>{{ answer.status() }}: {{ answer.text() }}</p>` })
export class Answer {
  readonly #streams = injectLambdaStreams();
  readonly prompt = input.required<string>();
  protected readonly answer = streamResource({
    params: () => ({ prompt: this.prompt() }),
    stream: ({ params }) => this.#streams.invoke({ FunctionName: 'chat', Payload: params }),
  });
}
