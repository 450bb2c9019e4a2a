import { client, model, print } from './client.mjs';

const input = ['a cat sat on the mat', 'a cat sat on the mat', 'interest rates rose again'];
// Without encoding_format the SDK asks for base64 and decodes it itself.
const decoded = await client().embeddings.create({ model, input });
const plain = await client().embeddings.create({ model, input, encoding_format: 'float' });
print({
  usage: decoded.usage,
  decoded: decoded.data.map((item) => item.embedding),
  plain: plain.data.map((item) => item.embedding),
  indexes: decoded.data.map((item) => item.index),
});
