// Holds manifests against the OpenAPI schemas of their kinds (Kubernetes 1.23, from the package kubernetes-models), with every field known:
//   node validate.js FILE...
// Prints the documents of all files as one JSON array; what is wrong goes to standard error.
"use strict";
const { readFileSync } = require("fs");
const { join } = require("path");
const { parseAllDocuments } = require("yaml");

// As kubectl apply --validate=strict: the schemas by themselves let unknown fields pass.
const schemas = require(join(__dirname, "node_modules/@kubernetes-models/validate/dist/ajv.js"));
const register = schemas.register;
schemas.register = (id, schema) => register(id, close(schema));

function close(schema) {
  if (Array.isArray(schema)) {
    return schema.map(close);
  }

  if (schema === null || typeof schema !== "object") {
    return schema;
  }

  const closed = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, close(value)]));
  if (schema.type === "object" && schema.properties && !("additionalProperties" in schema)) {
    closed.additionalProperties = false;
  }

  return closed;
}

function problemsOf({ apiVersion, kind, ...content }) {
  let model;
  try {
    model = require(`kubernetes-models/${apiVersion}/${kind}`)[kind];
  } catch {
    return `there is no ${kind} in ${apiVersion}`;
  }

  try {
    new model(content).validate();
    return null;
  } catch (error) {
    return error.message + " " + JSON.stringify(error.errors?.map((each) => each.params));
  }
}

const all = [];
for (const file of process.argv.slice(2)) {
  for (const document of parseAllDocuments(readFileSync(file, "utf8"))) {
    const manifest = document.toJS() ?? {};
    const problem = document.errors[0]?.message ?? problemsOf(manifest);
    if (problem) {
      console.error(`${file}: ${manifest.kind} ${manifest.metadata?.name}: ${problem}`);
      process.exitCode = 1;
    }

    all.push(manifest);
  }
}

console.log(JSON.stringify(all));
