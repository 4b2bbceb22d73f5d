import { useEffect, useState } from 'react';
import { toSnapshots } from 'rx-lambda-stream';
import { relayedInvoke } from 'rx-lambda-stream/http';

export function Answer({ prompt }) {
  const [{ status, text }, setSnapshot] = useState({ status: 'connecting', text: '' });
  useEffect(() => {
    const invoke = relayedInvoke({ url: '/api' }); // here, because a relative URL needs a page
    const subscription = invoke(undefined, { FunctionName: 'chat', Payload: { prompt } })
      .pipe(toSnapshots())
      .subscribe(setSnapshot);
    return () => subscription.unsubscribe();
  }, [prompt]);
  return <output className={status}>{text}</output>;
}
