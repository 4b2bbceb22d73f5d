import { installAwslambda } from './runtime/awslambda.js';

/**
 * Importing this module provides the global `awslambda`. Put the import first: static imports run in order, so that
 * handler files imported after it find the global.
 *
 *     import 'rx-lambda-stream/local/register';
 *     import { handler } from './chat.mjs';
 */
installAwslambda();
