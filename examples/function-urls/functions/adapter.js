// @h4ad/serverless-adapter, with its streaming handler.
import { ApiGatewayV2Adapter } from '@h4ad/serverless-adapter/adapters/aws';
import { ExpressFramework } from '@h4ad/serverless-adapter/frameworks/express';
import { AwsStreamHandler } from '@h4ad/serverless-adapter/handlers/aws';
import { DummyResolver } from '@h4ad/serverless-adapter/resolvers/dummy';
import { ServerlessAdapter } from '@h4ad/serverless-adapter';
import express from 'express';

const app = express();
app.get('/words', (_request, response) => {
  response.type('text/plain');
  response.write('one ');
  setTimeout(() => response.end('two'), 5);
});

export const handler = ServerlessAdapter.new(app)
  .setFramework(new ExpressFramework())
  .setHandler(new AwsStreamHandler())
  .setResolver(new DummyResolver())
  .addAdapter(new ApiGatewayV2Adapter())
  .build();
