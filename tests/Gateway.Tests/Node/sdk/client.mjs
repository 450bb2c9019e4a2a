// What every scenario shares. The test gives BASE_URL, API_KEY and MODEL, and reads one JSON value per line of stdout.
import OpenAI from 'openai';

export { OpenAI };

export const model = process.env.MODEL;

export const client = (options = {}) =>
  new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY, maxRetries: 0, timeout: 30_000, ...options });

export const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

export const user = (content) => [{ role: 'user', content }];

// What an application could learn from the error it caught.
export const describe = (error) => ({
  error: error.constructor.name,
  isApiError: error instanceof OpenAI.APIError,
  status: error.status ?? null,
  code: error.code ?? null,
  type: error.type ?? null,
  param: error.param ?? null,
  requestId: error.requestID ?? null,
  message: String(error.message),
});

export const weather = {
  name: 'get_weather',
  description: 'The weather of a city.',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
};

export const weatherQuestion = 'How is the weather in Paris?\ncall:get_weather {"city":"Paris"}';
