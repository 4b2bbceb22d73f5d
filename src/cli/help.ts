const intro = 'rx-lambda-stream: response streams of AWS Lambda, on the command line.';

const exitCodeText = `EXIT CODES
  0    the response is complete (or the reader of the pipe went away)
  1    something unexpected
  2    the command line is wrong
  3    the function failed
  4    the service refused the call: not found, not allowed, invalid, too large
  5    the service cannot take the call now: throttled, not ready, unavailable
  6    the stream broke or is no valid stream: what was written is not complete
  7    no connection to Lambda: endpoint (another server answered, too), TLS, credentials or region
  8    --timeout passed
  9    what arrived is not what the mode reads: no JSON, a line too long
  10   --fail, and the function's own HTTP status is 400 or above
  130  interrupted (Ctrl-C), 143 terminated`;

/** The texts of `--help`. */
export const help = {
  main: `${intro}

USAGE
  rx-lambda-stream invoke NAME [options]    call a function and stream its response to stdout
  rx-lambda-stream serve FILE... [options]  serve handler files as a local Lambda endpoint

  rx-lambda-stream invoke --help
  rx-lambda-stream serve --help
  rx-lambda-stream --version

EXAMPLES
  rx-lambda-stream serve handlers/*.mjs
  rx-lambda-stream invoke chat --payload '{"prompt":"Hello"}' --endpoint http://127.0.0.1:3001
  rx-lambda-stream invoke export --ndjson | head -1
  rx-lambda-stream invoke site --request 'GET /orders?page=2' --include
`,
  invoke: `USAGE
  rx-lambda-stream invoke NAME [-] [options]

  Calls InvokeWithResponseStream and writes the response to stdout as it arrives; diagnostics go to stderr.
  NAME is a function name, an ARN or a partial ARN. Ctrl-C closes the connection (Lambda runs the function to its end).

PAYLOAD (none by default)
  --payload JSON        the event
  --payload-file FILE   the event from a file; - is stdin
  -                     the event from stdin
  --request 'POST /p'   the event that a function URL makes of this HTTP request (payload format 2.0); without a
                        method it is GET, or POST with --data; decodes the response as --http does, its head left out
  --data TEXT           the request's body; @FILE reads a file, @- stdin; its content-type is application/json
  --header 'n: value'   a header of the request; may be repeated

OUTPUT (one of them)
  --raw                 the bytes as they come (default)
  --text                decoded as UTF-8
  --ndjson              one JSON document a line, each checked and left as it is
  --sse                 server-sent events, each as a JSON line {"id","lastEventId","event","retryMs","data"}
  --events              everything as JSON lines: head, chunk ("text" or "base64"), complete
                        --text, --ndjson and --sse read the body of a response that is announced as HTTP

HTTP (the function writes an HTTP response)
  --http                its head goes to stderr, its body to stdout; its status is no failure of the call
  --include             its head goes to stdout, before the body
  --fail                a status of 400 or above is exit code 10, and the body is not written

CALL
  --qualifier Q         alias or version
  --tenant ID           the tenant, of a function with tenant isolation
  --log                 the end of the function's log, to stderr
  --stats               a line at the end, to stderr: outcome, chunks, bytes, times, attempts, request ids
  --retry N             up to N more attempts where the service did not run the function (default 0)
  --timeout MS          give up after so many milliseconds

WHERE
  --endpoint URL        another endpoint, e.g. that of "serve" (http or https); on loopback no credentials are needed,
                        unless a --profile is named
  --region REGION       else AWS_REGION or the profile's
  --profile NAME        a profile of ~/.aws
  Without these the ordinary AWS configuration is used: environment, ~/.aws, SSO, instance role.

${exitCodeText}
`,
  serve: `USAGE
  rx-lambda-stream serve FILE... [options]

  Serves handler files written for AWS (the global awslambda is provided) as a local Lambda endpoint that speaks
  InvokeWithResponseStream and Invoke, and opens a function URL for each function. Ctrl-C stops: running handlers have a
  second to end, a second Ctrl-C ends at once. A handler in a busy loop blocks all of it, Ctrl-C too: use Ctrl-\\.

  An export "handler", else a default export, is named after its file: chat.mjs is "chat", chat/index.mjs too. Other
  exported functions are "chat.export". NAME=FILE#export serves one export under a name, NAME=FILE renames the file's.
  TypeScript files work where Node strips types (22.18 and later). Files are loaded again when they, or files that they
  import, change.

OPTIONS
  --port PORT           default 3001; 0 takes a free one
  --host HOST           default 127.0.0.1; credentials are not checked, so think twice
  --allow-host NAME     a name by which clients reach a loopback address, e.g. host.docker.internal; may be repeated
  --cors ORIGIN         let pages of this origin call, e.g. http://localhost:4200; may be repeated; * is every page
  --no-urls             open no function URLs
  --url-port PORT       the first function URL's port, further ones follow it (default: free ports)
  --env-file FILE       environment variables, as NAME=value lines; those that are set already stay; may be repeated
  --timeout MS          the functions' time-out (default 900000)
  --memory MB           what the functions are told of their memory (default 128); nothing is limited
  --concurrency N       how many invocations of a function may run at once; one more is throttled
  --tenant ID           the tenant of calls that name none, those to function URLs included
  --init-timeout MS     how long a file may take to load (default 10000, as on AWS)
  --no-watch            do not load changed files again

EXIT CODES
  0    stopped: Ctrl-C, SIGTERM, or the reader of the output went away
  1    something unexpected: the port is taken, a file cannot be loaded at the start, two functions have one name
  2    the command line is wrong
  130  a second Ctrl-C, 143 a second SIGTERM
`,
} as const;
