import { parseNdjson, retryInvocation } from 'rx-lambda-stream';
import { fetchResponseStream } from 'rx-lambda-stream/http';
import { EMPTY, fromEvent, merge, switchMap, tap, catchError, finalize, map, type Subscription } from 'rxjs';

interface Order {
  readonly id: number;
  readonly item: string;
  readonly amount: number;
}

/** Shows the orders of a function URL in a table: "Load" streams them, "Cancel" closes the connection. */
export function showTable(root: HTMLElement, functionUrl: string): Subscription {
  root.innerHTML = `
    <button name="load">Load</button> <button name="cancel">Cancel</button> <output>idle</output>
    <table><thead><tr><th>Order</th><th>Item</th><th>Amount</th></tr></thead><tbody></tbody></table>`;
  const button = (name: string) => root.querySelector(`[name=${name}]`) as HTMLButtonElement;
  const output = root.querySelector('output') as HTMLOutputElement;
  const rows = root.querySelector('tbody') as HTMLTableSectionElement;
  const say = (text: string) => (output.textContent = text);

  function loadOrders() {
    let last = 0;
    rows.replaceChildren();
    say('loading');
    // Asked anew before each attempt: it goes on after the last order that arrived.
    const request = () => {
      const url = new URL(functionUrl);
      url.searchParams.set('after', `${last}`);
      return new Request(url);
    };
    return fetchResponseStream(request).pipe(
      retryInvocation({ idempotent: true, afterFirstChunk: 'continue' }),
      tap((event) => event.type === 'retry' && say(`trying again (${event.attempt})`)),
      parseNdjson<Order>(),
      tap({
        next({ id, item, amount }) {
          last = id;
          const row = rows.insertRow();
          for (const text of [id, item, amount]) row.insertCell().textContent = `${text}`;
        },
        complete: () => say(`${last} orders`),
        unsubscribe: () => say(`cancelled after ${last} orders`),
      }),
      catchError((error: Error) => {
        say(`failed: ${error.message}`);
        return EMPTY;
      }),
    );
  }

  return merge(
    fromEvent(button('load'), 'click').pipe(map(() => true)),
    fromEvent(button('cancel'), 'click').pipe(map(() => false)),
  )
    .pipe(
      switchMap((isLoading) => (isLoading ? loadOrders() : EMPTY)),
      finalize(() => root.replaceChildren()),
    )
    .subscribe();
}
