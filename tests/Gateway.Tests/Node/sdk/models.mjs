import { client, describe, print } from './client.mjs';

const listed = [];
for await (const model of client().models.list()) {
  listed.push(model);
}
print(listed);
for (const id of ['model/name=demo', 'bot/id=demo', 'bot/id=nobody']) {
  print(await client().models.retrieve(id).catch(describe));
}
