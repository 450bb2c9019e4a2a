// QUESTIONS: a list; each is streamed to its end, eight at a time.
import { client, describe, model, print, user } from './client.mjs';

const questions = JSON.parse(process.env.QUESTIONS);

async function ask(question) {
  let text = '';
  let finish = null;
  try {
    for await (const chunk of await client().chat.completions.create({ model, messages: user(question), stream: true })) {
      text += chunk.choices[0]?.delta.content ?? '';
      finish = chunk.choices[0]?.finish_reason ?? finish;
    }
    return { question, text, finish, error: null };
  } catch (error) {
    return { question, text, finish, error: describe(error) };
  }
}

async function work() {
  while (questions.length > 0) {
    print(await ask(questions.shift()));
  }
}

await Promise.all(Array.from({ length: 8 }, work));
