import { streamHandle } from 'hono/aws-lambda';
import { app } from './hono-app.js';

export const handler = streamHandle(app);
