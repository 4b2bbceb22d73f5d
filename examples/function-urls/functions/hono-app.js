// The application, for both of hono's handlers.
import { Hono } from 'hono';
import { streamText } from 'hono/streaming';
import { setCookie } from 'hono/cookie';

export const app = new Hono();

app.post('/orders/:id', async (context) => {
  setCookie(context, 'seen', context.req.param('id'));
  const { items } = await context.req.json();
  return context.json({ id: context.req.param('id'), items, page: context.req.query('page') }, 201);
});

/** The responses that have written their first word. */
const waiting = [];

app.get('/words', (context) =>
  streamText(context, async (stream) => {
    await stream.write('one ');
    await new Promise((resolve) => waiting.push(resolve));
    await stream.write('two ');
    await stream.write('three ');
  }),
);

/** Lets the words go on. */
app.post('/go-on', (context) => {
  for (const resolve of waiting.splice(0)) resolve();
  return context.body(null, 204);
});
