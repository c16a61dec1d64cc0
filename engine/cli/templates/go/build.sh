#!/bin/sh
# Builds {{name}}.wasm.
set -eu
cd "$(dirname "$0")"
PATH="$PWD/.venv/bin:$PATH"

for tool in go wit-bindgen wasm-tools sandbook; do
  command -v "$tool" >/dev/null || {
    echo "\`$tool\` is missing: \`sandbook plugin doctor --lang go\` says how to get it" >&2
    exit 2
  }
done

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
quietly wit-bindgen go wit --world step --pkg-name step/build/bindings --out-dir build/bindings
mkdir -p build/bindings/exports/export_step
cp sandbook/export_step.txt build/bindings/exports/export_step/step.go
# `-mod=mod` writes the digests of what is got into go.sum, for you to keep. `-checklinkname=0` is what the bindings
# need to get memory before Go's own runtime is up.
GOFLAGS="-mod=mod ${GOFLAGS:-}" GOTOOLCHAIN=local GOOS=wasip1 GOARCH=wasm \
  go build -buildmode=c-shared -ldflags="-checklinkname=0 -s -w" -o build/core.wasm .
wasm-tools component embed wit build/core.wasm --world step -o build/embedded.wasm
# What Go asks of WASI's first version goes to the second one.
wasm-tools component new build/embedded.wasm --adapt wasi_snapshot_preview1=adapter/wasi_snapshot_preview1.reactor.wasm \
  -o build/component.wasm
sandbook plugin pack build/component.wasm --manifest plugin.yaml --to {{name}}.wasm
