import { client, model, print, user, weather, weatherQuestion } from './client.mjs';

const called = [];
const tool = {
  type: 'function',
  function: {
    ...weather,
    parse: JSON.parse,
    function: ({ city }) => {
      called.push(city);
      return `The weather in ${city} is sunny with 21 degrees.`;
    },
  },
};
for (const stream of [false, true]) {
  const runner = client().chat.completions.runTools({ model, messages: user(weatherQuestion), tools: [tool], stream });
  const content = await runner.finalContent();
  print({ stream, content, called: called.splice(0), roles: runner.messages.map((message) => message.role) });
}
