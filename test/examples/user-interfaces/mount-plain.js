import { showAnswer } from '../../../examples/user-interfaces/plain.js';

export function mount(element) {
  const output = element.appendChild(document.createElement('output'));
  let unmount = () => undefined;
  return {
    show(prompt) {
      unmount();
      unmount = showAnswer(output, prompt);
    },
    unmount: () => unmount(),
  };
}
