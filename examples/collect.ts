import { LambdaClient } from '@aws-sdk/client-lambda';
import { collectResponse, invokeWithResponseStream, retryInvocation } from 'rx-lambda-stream';
import { firstValueFrom } from 'rxjs';

const report = await firstValueFrom(
  invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'report' }).pipe(retryInvocation(), collectResponse()),
);
console.log(report.head?.statusCode, report.json());
