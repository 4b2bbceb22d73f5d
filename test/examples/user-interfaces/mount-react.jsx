import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Answer } from '../../../examples/user-interfaces/react.jsx';

export function mount(element) {
  const root = createRoot(element);
  return {
    show: (prompt) =>
      root.render(
        <StrictMode>
          <Answer prompt={prompt} />
        </StrictMode>,
      ),
    unmount: () => root.unmount(),
  };
}
