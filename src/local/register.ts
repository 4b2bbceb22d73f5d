import { installAwslambda } from './runtime/awslambda.js';

/**
 * Importing this module provides the global `awslambda`. Put the import first. Static imports run in order, so that the
 * handler files after it find the global.
 *
 *     import 'rx-lambda-stream/local/register';
 *     import { handler } from './chat.mjs';
 */
installAwslambda();
