// npx tsx --tsconfig examples/relay-nestjs/tsconfig.json examples/relay-nestjs/main.ts
import 'reflect-metadata';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ReportsRelay } from './reports-relay.js';

@Module({
  providers: [{ provide: LambdaClient, useFactory: () => new LambdaClient() }, ReportsRelay],
})
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- to Nest, a module is its decorator
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule);
  app.use('/reports', app.get(ReportsRelay).listener);
  app.enableShutdownHooks();
  await app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
  console.log(`Listening on ${await app.getUrl()}`);
}

void main();
