import { showTable } from './table.js';

// The page's own query goes on to the function: ?count=20&trouble=cut&run=1
showTable(document.body, `${document.body.dataset['functionUrl'] ?? ''}${location.search}`);
