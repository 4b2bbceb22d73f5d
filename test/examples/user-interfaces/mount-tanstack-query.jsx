import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Answer } from '../../../examples/user-interfaces/tanstack-query.jsx';

export function mount(element) {
  const root = createRoot(element);
  const client = new QueryClient();
  return {
    show: (prompt) =>
      root.render(
        <StrictMode>
          <QueryClientProvider client={client}>
            <Answer prompt={prompt} />
          </QueryClientProvider>
        </StrictMode>,
      ),
    unmount() {
      root.unmount();
      // Its timers would keep the process alive for minutes.
      client.clear();
    },
  };
}
