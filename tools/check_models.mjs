// The published contract in the eyes of a code generator: models made of it read each golden message and write it again.
//
// Called as `node tools/check_models.mjs FOLDER DOCUMENT GOLDENS`; FOLDER is where npm has put modelina and typescript.
// Its TypeScript is taken, because what it makes of a constant in Python is no Python (see findings/). Prints a line for
// each message that does not come back as it was, and the number of those that do; exit code 1 if one does not.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";

const [folder, document, goldens] = process.argv.slice(2);
const require = createRequire(resolve(folder, "package.json"));
const { TypeScriptGenerator, TS_COMMON_PRESET } = require("@asyncapi/modelina");
const typescript = require("typescript");

const presets = [{ preset: TS_COMMON_PRESET, options: { marshalling: true } }];
const generator = new TypeScriptGenerator({ modelType: "class", presets });
const models = await generator.generate(JSON.parse(readFileSync(document, "utf8")));
const source = typescript.transpile(models.map((model) => model.result).join("\n"), { target: "ES2022" });
const names = models.map((model) => model.modelName).filter((name) => name.endsWith("Message"));
const classes = new Function(`${source}\nreturn { ${names.join(", ")} };`)();

const files = readdirSync(goldens).filter((name) => name.endsWith(".json"));
let faults = names.length ? 0 : 1;
for (const file of files) {
  const text = readFileSync(join(goldens, file), "utf8");
  const golden = JSON.parse(text);
  const model = golden.type.split(".").map((word) => word[0].toUpperCase() + word.slice(1)).join("") + "Message";
  let found;
  try {
    found = JSON.parse(classes[model].unmarshal(text).marshal());
  } catch (error) {
    found = error.message;
  }
  if (!isDeepStrictEqual(found, golden)) {
    console.log(`${file}: comes back as ${JSON.stringify(found)}`);
    faults += 1;
  }
}
console.log(`${names.length} models, ${files.length} golden messages, ${faults} faults`);
process.exit(faults ? 1 : 0);
