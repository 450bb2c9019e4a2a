import { client, model, print, user } from './client.mjs';

const events = { content: 0, chunk: 0, message: 0, end: 0, error: 0 };
const stream = client().chat.completions.stream({ model, messages: user('Who are you?'), stream_options: { include_usage: true } });
for (const name of Object.keys(events)) {
  stream.on(name, () => (events[name] += 1));
}
const completion = await stream.finalChatCompletion();
print({ events, completion, content: await stream.finalContent(), usage: await stream.totalUsage() });
