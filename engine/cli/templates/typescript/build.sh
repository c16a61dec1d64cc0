#!/bin/sh
# Builds {{name}}.wasm.
set -eu
cd "$(dirname "$0")"
PATH="$PWD/.venv/bin:$PATH"

for tool in node npm sandbook; do
  command -v "$tool" >/dev/null || {
    echo "\`$tool\` is missing: \`sandbook plugin doctor --lang typescript\` says how to get it" >&2
    exit 2
  }
done
# What was built before goes first: a build that fails leaves nothing to be tested in its place.
rm -rf build
rm -f {{name}}.wasm
mkdir build
# The lock pins everything that follows.
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules ]; then
  npm install --no-audit --no-fund --loglevel=error
  touch node_modules
fi

# Says what a tool says only where it fails.
quietly() {
  "$@" >build/log 2>&1 || {
    cat build/log >&2
    exit 1
  }
}

npx --no-install tsc
npx --no-install esbuild src/step.ts --bundle --format=esm --target=es2024 --external:sandbook:* \
  --log-level=warning --outfile=build/step.js
quietly npx --no-install componentize-qjs --wit wit --world step --js build/step.js --sync -o build/component.wasm
sandbook plugin pack build/component.wasm --manifest plugin.yaml --to {{name}}.wasm
