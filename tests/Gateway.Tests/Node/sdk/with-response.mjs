import { client, model, print, user } from './client.mjs';

for (const stream of [false, true]) {
  const { data, response, request_id: requestId } = await client()
    .chat.completions.create({ model, messages: user('Who are you?'), stream })
    .withResponse();
  if (stream) {
    for await (const chunk of data) void chunk;
  }
  print({
    stream,
    status: response.status,
    requestId,
    header: response.headers.get('x-request-id'),
    contentType: response.headers.get('content-type'),
    encoding: response.headers.get('content-encoding'),
    onData: stream ? null : data._request_id,
  });
}
