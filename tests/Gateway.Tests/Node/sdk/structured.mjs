import { client, model, print, user } from './client.mjs';

const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, degrees: { type: 'number' }, rain: { type: 'boolean' } },
  required: ['city', 'degrees', 'rain'],
  additionalProperties: false,
};
const request = {
  model,
  messages: user('How is the weather in Paris?'),
  response_format: { type: 'json_schema', json_schema: { name: 'weather', strict: true, schema } },
};
print(JSON.parse((await client().chat.completions.create(request)).choices[0].message.content));
print(JSON.parse(await client().chat.completions.stream(request).finalContent()));
