import { ChangeDetectionStrategy, Component, computed, linkedSignal, signal } from '@angular/core';
import { rxResource } from '@angular/core/rxjs-interop';
import { parseNdjson, retryInvocation } from 'rx-lambda-stream';
import { injectLambdaStreams } from 'rx-lambda-stream/angular';
import { of } from 'rxjs';
import { describeError } from '../lambda/describe-error';
import { toTable, type Table } from './to-table';

/** A record of the function `orders`, one a line. */
interface Order {
  readonly id: number;
  readonly customer: string;
  readonly city: string;
  readonly total: number;
}

type OrderTable = Table<Order>;

/** A table that fills while the function `orders` writes. Another country, Stop, and leaving close the connection. */
@Component({
  selector: 'app-orders',
  changeDetection: ChangeDetectionStrategy.OnPush,
  templateUrl: './orders.html',
  styleUrl: './orders.css',
})
export class Orders {
  readonly #streams = injectLambdaStreams();

  protected readonly countries = ['Germany', 'France', 'Italy'];
  protected readonly country = signal('Germany');
  /** The rows to keep once the reader has stopped. */
  readonly #kept = signal<OrderTable | null>(null);

  readonly #orders = rxResource({
    // Never undefined: that would set the resource idle and let the stream run on.
    params: () => ({ country: this.country(), kept: this.#kept() }),
    stream: ({ params: { country, kept } }) =>
      kept === null
        ? this.#streams
            .invoke({ FunctionName: 'orders', Payload: { country } })
            .pipe(retryInvocation(), parseNdjson<Order>(), toTable())
        : of<OrderTable>({ ...kept, status: 'stopped' }),
  });

  /** Between two streams the resource has no value; the table stays as it was. */
  protected readonly table = linkedSignal<OrderTable | undefined, OrderTable>({
    source: () => this.#orders.value(),
    computation: (table, previous) => table ?? previous?.value ?? { rows: [], status: 'loading' },
  });

  protected readonly isLoading = computed(() => this.table().status === 'loading');
  protected readonly message = computed(() => {
    const { status, rows, error } = this.table();
    const count = `${rows.length} ${rows.length === 1 ? 'order' : 'orders'}`;
    switch (status) {
      case 'loading':
        return 'Loading…';
      case 'complete':
        return `Complete: ${count}.`;
      case 'stopped':
        return `Stopped after ${count}.`;
      case 'failed':
        return `${describeError(error)} ${count} arrived.`;
    }
  });

  protected choose(country: string): void {
    this.#kept.set(null);
    this.country.set(country);
  }

  /** The one button stops while there is something to stop, and loads otherwise: it stays, and keeps the focus. */
  protected stopOrLoad(): void {
    if (this.isLoading()) {
      this.#kept.set(this.table());
    } else if (this.#kept() !== null) {
      this.#kept.set(null);
    } else {
      this.#orders.reload();
    }
  }
}
