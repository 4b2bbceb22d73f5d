import { decodeText, retryInvocation } from 'rx-lambda-stream';
import { fetchResponseStream } from 'rx-lambda-stream/http';

// Called for each subscription, and so for each attempt: add a fresh token or signature here.
const request = (): Request =>
  new Request(`${process.env['FUNCTION_URL'] ?? ''}chat`, {
    method: 'POST',
    body: JSON.stringify({ prompt: 'Hello' }),
  });

fetchResponseStream(request)
  .pipe(retryInvocation(), decodeText())
  .subscribe({
    next: (text) => process.stdout.write(text),
    error: (error) => console.error(error), // a cut body, a status of 400 and above, a network failure
  });
