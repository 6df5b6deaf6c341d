// Reads an AsyncAPI document from stdin by AsyncAPI's own parser, and writes what it finds wrong, as JSON.
import { Parser } from "@asyncapi/parser";
import { readFileSync } from "node:fs";

const { document, diagnostics } = await new Parser().parse(readFileSync(0, "utf8"));
const errors = diagnostics.filter(({ severity }) => severity === 0);
const said = errors.map(({ message, path }) => `${path.join(".")}: ${message}`);
console.log(JSON.stringify({ errors: said, operations: document?.operations().all().length ?? 0 }));
