// Checks values against the schemas of an OpenAPI document. The file's JSON: {"document":{…},"checks":[{"schema":"Bot","value":{…}}]};
// prints a JSON array with a text for each value that does not follow its schema. Every schema is compiled, used or not.
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

const { document, checks } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema({ $id: 'openapi', components: document.components });
const validators = new Map(Object.keys(document.components.schemas)
  .map((name) => [name, ajv.compile({ $ref: `openapi#/components/schemas/${name}` })]));

const errors = [];
for (const { schema, value } of checks) {
  const validate = validators.get(schema);
  if (!validate) {
    errors.push(`there is no schema ${schema}`);
  } else if (!validate(value)) {
    errors.push(`${schema}: ${validate.errors.map((e) => `${e.instancePath || '/'} ${e.message} ${JSON.stringify(e.params)}`).join('; ')} in ${JSON.stringify(value)}`);
  }
}

process.stdout.write(JSON.stringify(errors));
