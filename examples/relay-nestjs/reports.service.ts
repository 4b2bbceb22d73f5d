import { LambdaClient } from '@aws-sdk/client-lambda';
import { Inject, Injectable } from '@nestjs/common';
import { invokeWithResponseStream, retryInvocation, shareInvocation, type LambdaStreamEvent } from 'rx-lambda-stream';
import type { Observable } from 'rxjs';

/** How many reports are remembered, `maxReplayBytes` each at most. */
const maxReports = 100;

@Injectable()
export class ReportsService {
  private readonly reports = new Map<string, Observable<LambdaStreamEvent>>();

  constructor(@Inject(LambdaClient) private readonly client: LambdaClient) {}

  report(id: string): Observable<LambdaStreamEvent> {
    const known = this.reports.get(id);
    if (known !== undefined) return known;
    const report = invokeWithResponseStream(this.client, { FunctionName: 'report', Payload: { id } }).pipe(
      retryInvocation(),
      // Well below the 4 million characters that Nest lets wait for one browser: a replay comes all at once.
      shareInvocation({ maxReplayBytes: 1024 * 1024, lingerMs: Number(process.env.LINGER_MS ?? 5_000) }),
    );
    this.reports.set(id, report);
    // The oldest goes; whoever reads it reads on.
    for (const oldest of this.reports.keys()) if (this.reports.size > maxReports) this.reports.delete(oldest);
    return report;
  }
}
