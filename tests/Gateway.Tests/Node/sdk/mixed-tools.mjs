import { client, model, print, user } from './client.mjs';

const called = [];
const tool = {
  type: 'function',
  function: {
    name: 'look_up',
    description: 'Of the caller.',
    parameters: { type: 'object', properties: { of: { type: 'string' } }, required: ['of'] },
    parse: JSON.parse,
    function: ({ of }) => {
      called.push(of);
      return `The caller knows of ${of}.`;
    },
  },
};
for (const stream of [false, true]) {
  const runner = client().chat.completions.runTools({ model, messages: user(process.env.QUESTION), tools: [tool], stream });
  const content = await runner.finalContent();
  const names = runner.messages.flatMap((message) => message.tool_calls ?? []).map((call) => call.function.name);
  print({ stream, content, called: called.splice(0), roles: runner.messages.map((message) => message.role), names });
}
