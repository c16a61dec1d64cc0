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

# What was built before goes first: a build that fails leaves nothing to be tested in its place.
rm -rf build
rm -f {{name}}.wasm
mkdir build
# Of the project's own folder only modules and packages: whatever lies on the path goes into the component.
mkdir build/own build/got
cp *.py build/own
for package in */__init__.py; do
  [ ! -f "$package" ] || cp -R "${package%/*}" build/own
done
find build/own -name __pycache__ -prune -exec rm -rf {} +
if grep -q '^[^#]' requirements.txt; then
  python3 -m pip install --quiet --disable-pip-version-check --target build/got --requirement requirements.txt \
    --only-binary :all: --platform any --implementation py --abi none --python-version 3.14
fi
componentize-py --quiet --wit-path wit --world step componentize --python-path build/own --python-path build/got \
  --output build/component.wasm plugin
sandbook plugin pack build/component.wasm --manifest plugin.yaml --to {{name}}.wasm
