export {
  injectLambdaStreams,
  provideLambdaStreams,
  type LambdaStreams,
  type LambdaStreamsOptions,
} from './lambda-streams.js';
export { streamResource, type StreamResource, type StreamResourceOptions } from './stream-resource.js';
