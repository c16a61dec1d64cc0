#!/bin/sh
# Builds {{name}}.wasm.
set -eu
cd "$(dirname "$0")"

for tool in cargo sandbook; do
  command -v "$tool" >/dev/null || {
    echo "\`$tool\` is missing: \`sandbook plugin doctor --lang rust\` says how to get it" >&2
    exit 2
  }
done
[ -d "$(rustc --print target-libdir --target wasm32-wasip2)" ] || {
  echo "rustc lacks the target wasm32-wasip2: \`sandbook plugin doctor --lang rust\` says how to get it" >&2
  exit 2
}

# What was built before goes first: a build that fails leaves nothing to be tested in its place.
rm -f {{name}}.wasm
cargo build --release --target wasm32-wasip2
sandbook plugin pack "${CARGO_TARGET_DIR:-target}/wasm32-wasip2/release/step.wasm" --manifest plugin.yaml \
  --to {{name}}.wasm
