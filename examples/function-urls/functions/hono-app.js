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

app.get('/words', (context) =>
  streamText(context, async (stream) => {
    for (const word of ['one', 'two', 'three']) {
      await stream.write(`${word} `);
      await stream.sleep(5);
    }
  }),
);
