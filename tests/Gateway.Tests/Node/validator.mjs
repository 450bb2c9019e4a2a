// Validates JSON texts against the definitions of one schema file. One request per line of stdin:
// {"id":1,"definition":"Model","text":"…"}; one answer per line of stdout: {"id":1,"errors":["…"]}.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Ajv2020 } from 'ajv/dist/2020.js';

const schemas = JSON.parse(readFileSync(process.argv[2], 'utf8'));
// Formats are not part of what OpenAI promises (strict mode also refuses "deprecated" beside unknown keywords).
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema(schemas);

function errorsOf(definition, text) {
  if (!Object.hasOwn(schemas.$defs, definition)) {
    return [`there is no definition ${definition}`];
  }
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return [`not JSON: ${error.message}`];
  }
  const validate = ajv.getSchema(`${schemas.$id}#/$defs/${definition}`);
  return validate(value) ? [] : validate.errors.map((e) => `${e.instancePath || '/'} ${e.message} (${e.schemaPath})`);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, definition, text } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify({ id, errors: errorsOf(definition, text) })}\n`);
}
