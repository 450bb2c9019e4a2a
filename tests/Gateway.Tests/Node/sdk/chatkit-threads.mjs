import { client, describe, print } from './client.mjs';

const threads = client().beta.chatkit.threads;
const listed = [];
for await (const thread of threads.list({ user: process.env.CHAT_USER, limit: 1, order: 'asc' })) {
  listed.push(thread);
}
print(listed);
print(await threads.retrieve(listed[0].id));
const items = [];
for await (const item of threads.listItems(listed[0].id, { limit: 1, order: 'asc' })) {
  items.push(item);
}
print(items);
print(await threads.delete(listed[0].id));
print(await threads.retrieve(listed[0].id).catch(describe));
