export { startLocalLambda, type LocalClientConfig, type LocalLambda } from './start-local-lambda.js';
export type { FinishedInvocation, LocalLambdaOptions } from './local-lambda-options.js';
export type { LocalRequest } from './local-request.js';
export type {
  HandlerCallback,
  LocalFunction,
  LocalFunctionConfig,
  LocalHandler,
  PlainHandler,
} from './local-function.js';
export { scripted, type ByteStep, type Script, type ScriptedFunction, type ScriptStep } from './scripted.js';
export { streamifyResponse, type StreamHandler, type StreamingHandler } from './streamify-response.js';
export { awslambda, installAwslambda } from './awslambda.js';
export { HttpResponseStream, type HttpResponseMetadata } from './http-response-stream.js';
export { ResponseStream } from './response-stream.js';
export type { InvocationContext } from './invocation-context.js';
export type { Bandwidth } from './bandwidth.js';
export type { CorsOption } from './cors.js';
export type { FrameHeaders, InvocationEnd } from './encode-frames.js';
