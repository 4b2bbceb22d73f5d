export { traceInvocation, type TraceInvocationOptions } from './trace-invocation.js';
export { withTraceContext } from './with-trace-context.js';
