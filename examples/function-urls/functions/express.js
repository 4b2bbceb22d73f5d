import express from 'express';
import serverless from 'serverless-http';

const app = express();
app.use(express.json());
app.post('/orders/:id', (request, response) => {
  response.cookie('seen', request.params.id);
  response.status(201).json({ id: request.params.id, items: request.body.items, page: request.query.page });
});
app.get('/picture', (_request, response) => {
  response.type('image/png').send(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0x00]));
});

export const handler = serverless(app, { binary: ['image/*'] });
