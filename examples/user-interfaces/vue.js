import { h, shallowRef, watchEffect } from 'vue';
import { toSnapshots } from 'rx-lambda-stream';
import { relayedInvoke } from 'rx-lambda-stream/http';

const invoke = relayedInvoke({ url: '/api' });

export const Answer = {
  props: ['prompt'],
  setup(props) {
    const snapshot = shallowRef({ status: 'connecting', text: '' });
    watchEffect((onCleanup) => {
      const subscription = invoke(undefined, { FunctionName: 'chat', Payload: { prompt: props.prompt } })
        .pipe(toSnapshots())
        .subscribe((now) => (snapshot.value = now));
      onCleanup(() => subscription.unsubscribe());
    });
    return () => h('output', { class: snapshot.value.status }, snapshot.value.text);
  },
};
