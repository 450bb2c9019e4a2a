import { client, describe, model, print, user } from './client.mjs';

if (process.env.STREAM === 'true') {
  const stream = await client().chat.completions.create({ model, messages: user('stall'), stream: true });
  let text = '';
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? '';
    if (text === 'one two') stream.controller.abort();
  }
  print({ text });
} else {
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 500);
  const request = client().chat.completions.create({ model, messages: user('stall') }, { signal: abort.signal });
  print(await request.then(() => ({}), describe));
}
