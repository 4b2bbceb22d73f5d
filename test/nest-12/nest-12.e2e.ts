import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { tryReports } from '../examples/try-reports.js';
import { tryNest } from '../relay/try-frameworks.js';

test('the packages are those of NestJS 12', () => {
  for (const name of ['common', 'core', 'platform-express']) {
    const path = createRequire(import.meta.url).resolve(`@nestjs/${name}/package.json`);
    expect((JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version).toMatch(/^12\./);
  }
});

test('NestJS 12, as a middleware', () =>
  tryNest({
    Module,
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- as Nest documents it
    create: (module) => NestFactory.create(module, { logger: false, bodyParser: false }),
  }));

test('the NestJS application runs under NestJS 12 as it is', () => tryReports('test/nest-12/tsconfig.json'));
