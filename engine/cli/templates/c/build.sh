#!/bin/sh
# Builds {{name}}.wasm.
set -eu
cd "$(dirname "$0")"
PATH="$PWD/.venv/bin:$PATH"

for tool in wit-bindgen wasm-tools sandbook; do
  command -v "$tool" >/dev/null || {
    echo "\`$tool\` is missing: \`sandbook plugin doctor --lang c\` says how to get it" >&2
    exit 2
  }
done
zig=$(command -v zig || command -v python-zig) || {
  echo "\`zig\` is missing: \`sandbook plugin doctor --lang c\` says how to get it" >&2
  exit 2
}

# Says what a tool says only where it fails.
quietly() {
  "$@" >build/log 2>&1 || {
    cat build/log >&2
    exit 1
  }
}

# What was built before goes first: a build that fails leaves nothing to be tested in its place.
rm -rf build
rm -f {{name}}.wasm
mkdir build
quietly wit-bindgen c wit --world step --out-dir build
"$zig" cc --target=wasm32-wasi -mexec-model=reactor -Os -flto -std=c23 -Wall -Wextra -Wl,--strip-debug \
  -D_GNU_SOURCE -Isrc -Ibuild src/*.c build/step.c build/step_component_type.o -o build/core.wasm
# What the C library asks of WASI's first version goes to the second one.
wasm-tools component new build/core.wasm --adapt wasi_snapshot_preview1=adapter/wasi_snapshot_preview1.reactor.wasm \
  -o build/component.wasm
sandbook plugin pack build/component.wasm --manifest plugin.yaml --to {{name}}.wasm
