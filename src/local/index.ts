export { startLocalLambda, type CloseOptions, type LocalClientConfig, type LocalLambda } from './start-local-lambda.js';
export type { FinishedInvocation, LocalLambdaOptions, LocalProblem } from './local-lambda-options.js';
export type { LocalRequest } from './http/local-request.js';
export type {
  HandlerCallback,
  LocalFunction,
  LocalFunctionConfig,
  LocalHandler,
  PlainHandler,
} from './runtime/local-function.js';
export { scripted, type ByteStep, type Script, type ScriptedFunction, type ScriptStep } from './script/scripted.js';
export { streamifyResponse, type StreamHandler, type StreamingHandler } from './runtime/streamify-response.js';
export { awslambda, HttpResponseStream, installAwslambda, type HttpResponseMetadata } from './runtime/awslambda.js';
export { ResponseStream } from './runtime/response-stream.js';
export type { InvocationContext } from './invocation/invocation-context.js';
export type { Bandwidth } from './invocation/bandwidth.js';
export type { CorsOption } from './http/doors.js';
export type { FrameHeaders, InvocationEnd } from './invocation/encode-frames.js';
