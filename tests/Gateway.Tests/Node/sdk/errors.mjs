// CASES: [{ model, question, key? }]
import { client, describe, OpenAI, print, user } from './client.mjs';

for (const { model, question, key } of JSON.parse(process.env.CASES)) {
  for (const stream of [false, true]) {
    const request = client(key ? { apiKey: key } : {}).chat.completions.create({ model, messages: user(question), stream });
    const error = await request.then(
      () => { throw new Error(`${model} gave no error`); },
      (caught) => caught,
    );
    const classes = [
      'BadRequestError', 'AuthenticationError', 'PermissionDeniedError', 'NotFoundError', 'ConflictError',
      'UnprocessableEntityError', 'RateLimitError', 'InternalServerError',
    ];
    print({ ...describe(error), instanceOf: classes.filter((name) => error instanceof OpenAI[name]) });
  }
}
