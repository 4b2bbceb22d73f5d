import { LambdaClient } from '@aws-sdk/client-lambda';
import { decodeText, invokeWithResponseStream, parseNdjson, shareInvocation } from 'rx-lambda-stream';
import { count } from 'rxjs';

const rows = invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'rows' }).pipe(shareInvocation());

// One request, whatever the number of subscribers.
rows.pipe(decodeText()).subscribe({ next: (text) => process.stdout.write(text), error: console.error });
rows.pipe(parseNdjson(), count()).subscribe({ next: (n) => console.log(`${n} rows`), error: console.error });
