export { fakeInvoke } from './fake-invoke.js';
export type { FakeInvocation, FakeInvoke } from './fake-invoke.js';
export type { FakeInvokeTable, FakeResponse } from './fake-invoke-table.js';
export { chunkEvent, completeEvent, headEvent, retryEvent } from './event-builders.js';
export { serviceException } from './service-exception.js';
export type { ServiceExceptionFields, ServiceExceptionName } from './service-exception.js';
export { invocationLogCases, type InvocationLogCase, type OpenLog } from './invocation-log-cases.js';
