import { client, model, print, user } from './client.mjs';

const stream = await client().chat.completions.create({
  model,
  messages: user('Who are you?'),
  stream: true,
  stream_options: { include_usage: true },
});
const seen = { text: '', chunks: 0, finish: [], models: new Set(), usage: null };
for await (const chunk of stream) {
  seen.chunks += 1;
  seen.models.add(chunk.model);
  seen.usage = chunk.usage ?? seen.usage;
  for (const choice of chunk.choices) {
    seen.text += choice.delta.content ?? '';
    if (choice.finish_reason) seen.finish.push(choice.finish_reason);
  }
}
print({ ...seen, models: [...seen.models] });
