import { client, model, print, user } from './client.mjs';

const { n, question } = { question: 'Who are you?', ...JSON.parse(process.env.OPTIONS ?? '{}') };
print(await client().chat.completions.create({ model, messages: user(question), ...(n && { n }) }));
