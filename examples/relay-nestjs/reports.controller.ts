import { LambdaClient } from '@aws-sdk/client-lambda';
import { Controller, Get, Headers, Inject, Param, Query, Req, Res, Sse, type MessageEvent } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Observable } from 'rxjs';
import { relayOne } from '../relay/relay-one.js';
import { toMessages } from '../relay/to-messages.js';
import { ReportsService } from './reports.service.js';

@Controller()
export class ReportsController {
  constructor(
    @Inject(LambdaClient) private readonly client: LambdaClient,
    @Inject(ReportsService) private readonly reports: ReportsService,
  ) {}

  /** One invocation for all who ask. Nest subscribes, and unsubscribes when the browser goes away. */
  @Sse('reports/:id')
  report(@Param('id') id: string, @Headers('last-event-id') lastEventId?: string): Observable<MessageEvent> {
    return this.reports.report(id).pipe(toMessages(lastEventId));
  }

  /** An invocation of its own, with backpressure, which `@Sse` does not have. */
  @Get('chat')
  chat(@Query('prompt') prompt: string, @Req() request: IncomingMessage, @Res() response: ServerResponse): void {
    relayOne(this.client, { FunctionName: 'chat', Payload: { prompt } }, request, response);
  }
}
