#!/bin/sh
# Prepares the module engines: the API types of ClusterNetworkPolicy, which planec takes
# from a newer network-policy-api than Cilium's engine compiles with, become a module of
# their own there. They are copied from Go's module cache, and not committed.
set -eu
cd "$(dirname "$0")/.."
go="${GO:-go}"
"$go" mod download sigs.k8s.io/network-policy-api
from="$("$go" list -m -f '{{.Dir}}' sigs.k8s.io/network-policy-api)/apis/v1beta1"
to=engines/policyv1beta1
rm -rf "$to"
mkdir -p "$to"
cp "$from"/*.go "$to"
chmod -R u+w "$to"
cat >"$to/go.mod" <<'MOD'
module sigs.k8s.io/network-policy-api/apis/v1beta1

go 1.26.0

require (
	k8s.io/api v0.36.4
	k8s.io/apimachinery v0.36.4
)
MOD
