// AsyncAPI documents → what @asyncapi/parser has against them, one line each; exit code 1 if there is a fault.
//
// Called as `node tools/check_asyncapi.mjs FOLDER FILE...`; FOLDER is where npm has put the parser (see Makefile).
// What the parser calls an error is a fault, and so is a warning; hints and notes of style are not shown.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [folder, ...files] = process.argv.slice(2);
const require = createRequire(resolve(folder, "package.json"));
const { Parser } = require("@asyncapi/parser");

// The numbers of the parser's severities: 0 is error, 1 is warning, then come information and hint.
const WARNING = 1;
let faults = 0;
for (const file of files) {
  const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"));
  const found = diagnostics.filter((one) => one.severity <= WARNING);
  for (const one of found) {
    console.log(`${file}: ${one.code}: ${one.message} (${one.path.join(" / ")})`);
  }
  faults += found.length + (document ? 0 : 1);
  console.log(`${file}: ${document ? "read" : "not read"}, ${found.length} faults`);
}
process.exit(faults ? 1 : 0);
