#!/bin/sh
# Prints the table of docs/performance.md, and the micro-benchmarks with -v.
set -eu
bin=$(mktemp)
trap 'rm -f "$bin"' EXIT
go build -o "$bin" ./internal/bench
"$bin"
if [ "${1:-}" = -v ]; then
	go test ./... -run '^$' -bench . -benchtime 3x
fi
