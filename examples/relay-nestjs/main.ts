// npx tsx --tsconfig examples/relay-nestjs/tsconfig.json examples/relay-nestjs/main.ts
import 'reflect-metadata';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ReportsController } from './reports.controller.js';
import { ReportsService } from './reports.service.js';

@Module({
  controllers: [ReportsController],
  providers: [{ provide: LambdaClient, useFactory: () => new LambdaClient({}) }, ReportsService],
})
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- to Nest, a module is its decorator
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule);
  await app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
  console.log(`Listening on ${await app.getUrl()}`);
}

void main();
