import { client, model, print, user, weather, weatherQuestion } from './client.mjs';

const messages = user(weatherQuestion);
const request = { model, messages, functions: [weather], function_call: 'auto' };

const first = await client().chat.completions.create(request);
print(first.choices[0]);

const called = { name: '', arguments: '' };
let finish = null;
for await (const chunk of await client().chat.completions.create({ ...request, stream: true })) {
  const choice = chunk.choices[0];
  called.name += choice?.delta.function_call?.name ?? '';
  called.arguments += choice?.delta.function_call?.arguments ?? '';
  finish = choice?.finish_reason ?? finish;
}
print({ called, finish });

const second = await client().chat.completions.create({
  ...request,
  messages: [
    ...messages,
    first.choices[0].message,
    { role: 'function', name: 'get_weather', content: 'The weather in Paris is sunny with 21 degrees.' },
  ],
});
print(second.choices[0]);
