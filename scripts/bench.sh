#!/bin/sh
# Prints the table of docs/performance.md and the benchmarks in real kernels
# beside it; with -v every micro-benchmark too. Run it alone on the machine.
set -eu
bin=$(mktemp)
trap 'rm -f "$bin"' EXIT
go build -o "$bin" ./internal/testing/bench
"$bin"
if [ "$(uname -s)" = Linux ]; then
	go test ./backends/nftables -run '^$' -bench Connect -benchtime 5000x
	go test ./backends/nftables -run '^$' -bench Policy -benchtime 1x
	go test ./backends/iptables -run '^$' -bench 'Restore/services=10000/legacy' -benchtime 3x
	go test ./backends/iptables -run '^$' -bench 'Connect/services=/legacy' -benchtime 2000x -timeout 20m
	go test ./internal/apply/session -run '^$' -bench 'Change' -benchtime 100x -timeout 20m
	go test ./internal/cli -run '^$' -bench AllNodes -benchtime 1x
	go test ./backends/ebpf/live -run '^$' -bench 'Load|Verify' -benchtime 5x
fi
if [ "${1:-}" = -v ]; then
	go test ./... -run '^$' -bench . -benchtime 3x
fi
