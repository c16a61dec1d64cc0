#!/bin/sh
# Builds {{name}}.wasm.
set -eu
cd "$(dirname "$0")"
PATH="$PWD/.venv/bin:$PATH"

for tool in componentize-py sandbook; do
  command -v "$tool" >/dev/null || {
    echo "\`$tool\` is missing: \`sandbook plugin doctor --lang python\` says how to get it" >&2
    exit 2
  }
done

rm -rf build
mkdir build
# Of the project's own folder only these files: whatever lies on the path goes into the component.
cp *.py build/
componentize-py --quiet --wit-path wit --world step componentize --python-path build --output build/component.wasm plugin
sandbook plugin pack build/component.wasm --manifest plugin.yaml --to {{name}}.wasm
