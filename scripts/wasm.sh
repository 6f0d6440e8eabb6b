#!/bin/sh
# Builds the compiler for web pages: cmd/planec-wasm, compressed, and the script of the
# same Go toolchain that runs it. A planec that is built afterwards has both inside, for
# `planec play`. The same commit and toolchain give the same bytes.
set -eu
cd "$(dirname "$0")/.."
go="${GO:-go}"
dir="${1:-internal/review/play/wasm}"
new="$dir/.planec.wasm.$$"
trap 'rm -f "$new" "$new.gz"' EXIT
CGO_ENABLED=0 GOOS=js GOARCH=wasm "$go" build -trimpath -ldflags="-s -w" -o "$new" ./cmd/planec-wasm
gzip -9 -n "$new"
chmod 644 "$new.gz"
mv "$new.gz" "$dir/planec.wasm.gz"
cp "$("$go" env GOROOT)/lib/wasm/wasm_exec.js" "$dir/wasm_exec.js"
