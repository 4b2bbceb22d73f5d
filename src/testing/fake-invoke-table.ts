import { isObservable, Observable } from 'rxjs';
import type { LambdaStreamEvent } from '../events.js';
import { callback, checkValue, observable, type OptionRule } from '../shared/check-options.js';
import type { FakeInvocation } from './fake-invoke.js';
import { serviceException } from './service-exception.js';

/** The answer of a function: one Observable for all invocations, or a function that makes one for each. */
export type FakeResponse =
  Observable<LambdaStreamEvent> | ((invocation: FakeInvocation) => Observable<LambdaStreamEvent>);

/** The answers by function name. A name is what the input states: a name or an ARN. */
export type FakeInvokeTable = Readonly<Record<string, FakeResponse>>;

const anObject: OptionRule = {
  expected: 'an object of answers by function name',
  isValid: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

/**
 * @throws TypeError for a table that is not an object, and for an answer that is neither an Observable nor a function.
 */
export function checkTable(table: FakeInvokeTable): void {
  checkValue('fakeInvoke', 'table', table, anObject);
  for (const [name, response] of Object.entries(table)) {
    checkValue('fakeInvoke', `the answer of "${name}"`, response, {
      expected: `${observable.expected} or ${callback.expected}`,
      isValid: (value) => observable.isValid(value) || callback.isValid(value),
    });
  }
}

/** Returns the answer of a function. For a name that is not in the table it is the SDK's ResourceNotFoundException. */
export function answerOf(
  table: FakeInvokeTable,
  name: string,
  invocation: FakeInvocation,
): Observable<LambdaStreamEvent> {
  const response = Object.hasOwn(table, name) ? table[name] : undefined;
  if (response !== undefined) return isObservable(response) ? response : response(invocation);
  return new Observable((subscriber) => {
    subscriber.error(
      serviceException('ResourceNotFoundException', { message: `Function not found: "${name}"`, Type: 'User' }),
    );
  });
}
