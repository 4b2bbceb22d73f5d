import { Router } from '@aws-lambda-powertools/event-handler/http';
import { Logger } from '@aws-lambda-powertools/logger';

const logger = new Logger({ serviceName: 'orders' });
const app = new Router({ logger });

app.get('/orders/:id', ({ params }) => ({ id: params.id }));
app.get('/broken', () => {
  throw new Error('out of stock');
});

export const handler = async (event, context) => app.resolve(event, context);
