import { client, describe, model, print, user } from './client.mjs';

const options = process.env.RETRIES ? { maxRetries: Number(process.env.RETRIES) } : {};
const request = client(options).chat.completions.create({ model, messages: user(process.env.QUESTION) });
print(await request.then((completion) => ({ content: completion.choices[0].message.content }), describe));
