#!/usr/bin/env bash
# modelina 5.10.1 (npm, @asyncapi/modelina): of a JSON Schema property with `const` its pydantic preset makes source that
# is no Python. Seen: default=''1.0'' (the quotes are doubled), and, where the property may be absent, a second default=
# in the same call. Generation ends without an error or a warning; Python then refuses the file (SyntaxError).
# Exits 0 while that is so, and 1 once the file compiles.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-save --no-fund --no-audit --ignore-scripts --silent @asyncapi/modelina@5.10.1 >/dev/null
cat > make.cjs <<'JS'
const { PythonGenerator, PYTHON_PYDANTIC_PRESET } = require("@asyncapi/modelina");
const schema = {
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "Envelope",
  type: "object",
  properties: { specversion: { type: "string", const: "1.0" }, kind: { type: "string", const: "page" } },
  required: ["specversion"],
};
new PythonGenerator({ presets: [PYTHON_PYDANTIC_PRESET] })
  .generate(schema)
  .then((models) => console.log(models.map((model) => model.result).join("\n")));
JS
node make.cjs > model.py
grep "Field(" model.py | head -n 2
if python3 -c 'import ast, sys; ast.parse(open("model.py").read())' 2>error; then
  echo "changed: the source compiles"
  exit 1
fi
tail -n 1 error
echo "as stated: the source of a constant is no Python"
