export { startLocalLambda, type LocalClientConfig, type LocalLambda } from './start-local-lambda.js';
export type { FinishedInvocation, LocalLambdaOptions } from './local-lambda-options.js';
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
export { awslambda, installAwslambda } from './runtime/awslambda.js';
export { HttpResponseStream, type HttpResponseMetadata } from './runtime/http-response-stream.js';
export { ResponseStream } from './runtime/response-stream.js';
export type { InvocationContext } from './invocation/invocation-context.js';
export type { Bandwidth } from './invocation/bandwidth.js';
export type { CorsOption } from './http/cors.js';
export type { FrameHeaders, InvocationEnd } from './invocation/encode-frames.js';
