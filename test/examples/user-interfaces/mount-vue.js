import { createApp, h, shallowRef } from 'vue';
import { Answer } from '../../../examples/user-interfaces/vue.js';

export function mount(element) {
  const prompt = shallowRef();
  const app = createApp(() => h(Answer, { prompt: prompt.value }));
  let isMounted = false;
  return {
    show(next) {
      prompt.value = next;
      if (!isMounted) app.mount(element);
      isMounted = true;
    },
    unmount: () => app.unmount(),
  };
}
