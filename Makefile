# Everything a contributor runs. CI runs the same targets (.ci/run).
GO       ?= go
GOFUMPT  := mvdan.cc/gofumpt@v0.12.0
STATIC   := honnef.co/go/tools/cmd/staticcheck@v0.8.2
VULN     := golang.org/x/vuln/cmd/govulncheck@v1.9.0
FUZZTIME ?= 60s
CLUSTERS ?= 2000
SOAK     ?= 20m
SETS     ?= 10000
SEED     ?= 1
PROVED   ?= 200

.PHONY: bpf-check help check build wasm dist test e2e e2e-short e2e-prove bench-agent bench-peers bench-play soak-agent lint lint-e2e lint-engines cross bench fuzz soak golden vuln tools conformance frr kernels engines prove mutants shelves screenshots

# This list.
help:
	@awk '/^#/ {if (!n++) text = substr($$0, 3); next} /^[a-z0-9-]+:/ {sub(/:.*/, ""); if (n) printf "  make %-12s %s\n", $$0, text} {n = 0}' $(MAKEFILE_LIST)

# Before a commit, in under three minutes: lint, and the tests that need no kernel.
check: lint
	$(GO) test ./ir/... ./compiler/... ./internal/arch ./internal/input/manifest ./internal/input/kustomize ./internal/review/suppress \
	  ./internal/review/ciformat ./internal/review/diffreport ./internal/review/diffwrite ./internal/review/nettest ./internal/input/nodeconfig ./internal/base/suggest
	$(GO) test -run 'Golden|Cases|Scripts|Lint|DiffReports' ./golden ./backends/nftables ./backends/iptables ./backends/ipvs ./backends/ebpf ./internal/cli

# The compiler for web pages, which a planec that is built afterwards has inside.
# `planec play` serves it.
wasm:
	@GO="$(GO)" sh scripts/wasm.sh

# Static binaries of this machine, into bin/.
build: wasm
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/ ./cmd/planec ./cmd/planec-agent

# Archives for a release, into dist/.
dist:
	sh scripts/dist.sh

# Packages that the kernel tests need; nothing to do where they are there.
tools:
	sh scripts/install-tools.sh

# Everything that CI tests but the end-to-end tests, in about 25 minutes (root, Linux).
# Tests in kernels wait for dropped packets most of the time, so more of them run
# at once than there are processors.
test: tools
	@table=$$(mktemp); PLANEC_EQUIVALENCE=$$table $(GO) test -timeout 30m -parallel 4 ./...; code=$$?; \
	  cat $$table; rm -f $$table; exit $$code

# The agent against the real etcd, API server and kube-proxy (root, Linux).
# The first run builds these from their modules: minutes, once for each set of versions.
e2e: tools
	cd e2e && $(GO) test -timeout 30m -count 1 ./...
	cd e2e/charts && $(GO) test -timeout 10m -count 1 ./...
	cd e2e/alerts && $(GO) test -timeout 10m -count 1 ./...

# The most telling of the end-to-end tests, as CI runs them.
# The agent through faults of its control plane, network and disk, take-over and back,
# events, policies, names beside the real CoreDNS, the Helm chart, and kube-proxy's rule of which flows end.
e2e-short: tools
	cd e2e && $(GO) test -timeout 30m -count 1 -run 'Agent|DNS|Imports|Layer2|Takeover|Switch|Network|FullDisk|Events|Policies|AsKubeProxy|Schema|Chart|Peers' . ./flows ./peers ./sarif ./nodeconfig
	cd e2e/charts && $(GO) test -timeout 10m -count 1 ./...
	cd e2e/alerts && $(GO) test -timeout 10m -count 1 ./...

# kube-proxy's own rules for PROVED generated clusters, proved to mean what planec's program says.
# In its nftables and its iptables mode, but for the differences of docs/proof.md.
e2e-prove: tools
	cd e2e && $(GO) test -timeout 30m -count 1 -v ./prove -clusters $(PROVED) -seed $(SEED)

# Random changes, faults and connections, SOAK long: nothing may leak.
soak-agent: tools
	cd e2e && $(GO) test -timeout 0 -count 1 -v -run TestSoak . -soak $(SOAK)

# Figures of the agent beside a real API server, in about ten minutes.
# They are the time from a write to the rule, memory, idle CPU, a rollout. Needs a
# quiet machine.
bench-agent: tools
	cd e2e && $(GO) test -timeout 60m -run '^$$' -bench Agent -benchtime 1x .

SIZES ?= 1000,10000,30000
ONLY  ?=
LIMIT ?= 300s
CONNECTS ?= 5000
REPEAT ?= 3
WRITE ?=

# planec and kube-proxy on the same objects, in one run: CPU, memory, connects.
# Under 30 minutes on two quiet cores. SIZES=1000,10000 and ONLY=nftables are parts of it (of names of
# what is measured: planec, kube-proxy, a backend, policies), LIMIT is the time for one
# cell, WRITE=1 puts the tables into docs/performance.md.
bench-peers: tools
	@bin=$$(mktemp); cd e2e && $(GO) test -c -o $$bin ./peers && cd peers && $$bin -test.run '^TestPeers$$' -test.timeout 0 \
	  -sizes $(SIZES) -only "$(ONLY)" -limit $(LIMIT) -connects $(CONNECTS) -repeat $(REPEAT) -revision "$$(git describe --always --dirty)" \
	  $(if $(WRITE),-document "$(CURDIR)/docs/performance.md"); code=$$?; rm -f $$bin; exit $$code

# gofumpt, vet and staticcheck.
lint:
	@out=$$($(GO) run $(GOFUMPT) -l .); if [ -n "$$out" ]; then echo "not gofumpt-ed:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATIC) ./...

# vet and staticcheck for the end-to-end tests, a module of its own.
# gofumpt has seen it already. It is apart because it compiles much of Kubernetes'
# libraries.
lint-e2e:
	cd e2e && $(GO) vet . ./flows ./prove ./peers ./sarif ./nodeconfig ./internal/... && $(GO) run $(STATIC) . ./flows ./prove ./peers ./sarif ./nodeconfig ./internal/...
	cd e2e/charts && $(GO) vet ./... && $(GO) run $(STATIC) ./...
	cd e2e/coredns && $(GO) vet ./...
	cd e2e/alerts && $(GO) vet ./... && $(GO) run $(STATIC) ./...

# vet and staticcheck for the comparison with other engines, a module of its own.
# It is apart because it compiles much of Cilium.
lint-engines:
	sh scripts/engines.sh
	cd engines && $(GO) vet ./... && $(GO) run $(STATIC) ./...

PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
VET ?= darwin windows

# Builds for every system that CI and reviewers use.
# The agent is for Linux only. What planec is made of is vetted for each system (lint has done
# Linux), with the settings of the build: so its imports are compiled once. All packages build
# there too, for who looks at them on such a machine. CI
# builds each system and each processor once: planec has no file for one pair.
# It leaves out VET, which analyses all imports anew for two minutes.
cross:
	@own=$$($(GO) list -deps ./cmd/planec | grep '^github.com/planec/planec'); \
	export CGO_ENABLED=0; \
	for p in $(PLATFORMS); do os=$${p%/*}; \
	  cmds=./cmd/planec; if [ $$os = linux ]; then cmds="$$cmds ./cmd/planec-agent"; fi; \
	  echo "build $$p"; \
	  for cmd in $$cmds; do GOOS=$$os GOARCH=$${p#*/} $(GO) build -o /dev/null $$cmd || exit 1; done; \
	done; \
	for os in $(VET); do echo "vet $$os"; GOOS=$$os $(GO) vet $$own && GOOS=$$os $(GO) build ./... || exit 1; done

# Rewrites the goldens; read the diff before you commit it.
golden:
	$(GO) test ./golden ./backends/nftables ./backends/iptables ./backends/ipvs ./backends/ebpf ./ir ./ir/diag ./internal/agent/metrics ./internal/input/nodeconfig -update
	$(GO) test ./internal/cli -run TestFlagsDocument -update

# The table of docs/performance.md; needs a quiet machine and root.
bench: tools
	sh scripts/bench.sh

# How long a key takes in the page of `planec play`, in a headless Chromium.
bench-play:
	$(GO) test ./internal/review/play -v -run '^$$' -bench Keystroke -benchtime 1x

# Compares with tables of verdicts from elsewhere: make conformance DATA=DIR.
# internal/testing/conformance describes their format.
conformance: tools
	@test -n "$(DATA)" || { echo "name the tables: make conformance DATA=DIR"; exit 2; }
	@out=$$(mktemp); $(GO) test -count 1 -v ./internal/testing/conformance -data "$(abspath $(DATA))" >$$out 2>&1; code=$$?; \
	  grep -v '^ *\(=== \|--- PASS\)' $$out; rm -f $$out; exit $$code

KERNELS ?= .kernels

# Debian's own kernels, in QEMU: layouts of nodes with every kind of rules, programs of eBPF.
# They are older than most machines' kernels, and have all drivers. Needs no KVM; 45 minutes.
kernels: tools
	sh scripts/debian-kernels.sh $(KERNELS)
	PLANEC_KERNELS=$(abspath $(KERNELS)) CGO_ENABLED=0 $(GO) test -timeout 0 -count 1 -v -p 1 -run TestOtherKernels ./backends/ebpf/bpf ./backends/ebpf/live ./internal/testing/cnilayout

# What FRR's routers learn after each of 20 random changes, beside what is computed (root, Linux).
frr: tools
	$(GO) test -timeout 10m -count 1 -v ./internal/testing/frrtest -changes 20

# Compares random policies with the engine of Cilium, linked as a module: make engines SETS=100 SEED=7.
# The seeds are printed. The first run compiles Cilium's packages: minutes.
engines:
	sh scripts/engines.sh
	cd engines && $(GO) test -timeout 0 -count 1 -v . -sets $(SETS) -seed $(SEED)

# Proves what every backend emits, for golden cases and generated clusters.
# These are 1,000, and 200 random programs with policies and 200 with those of other dialects: minutes.
prove:
	$(GO) test -count 1 -v -run 'TestProofs' ./golden
	$(GO) test -timeout 20m -count 1 -v -run 'TestRandom' ./internal/proof -args -clusters 1000 -programs 200

# Builds the eBPF objects again, with clang 14, and wants the bytes that are committed.
bpf-check:
	sh scripts/install-tools.sh bpf
	@command -v clang-14 >/dev/null || { echo "clang-14 is missing (Debian packages clang-14 and llvm-14)"; exit 2; }
	$(GO) generate ./backends/ebpf/bpf && git diff --exit-code -- backends/ebpf/bpf

# The pictures of docs/pictures: light, dark and narrow. Needs the browser of make tools.
screenshots:
	sh scripts/screenshots.sh

# Every fuzz target in turn, FUZZTIME each.
fuzz:
	sh scripts/fuzz.sh $(FUZZTIME)

# Many more generated clusters, killed applies and changes than CI runs.
soak: tools
	$(GO) test -timeout 0 -v -run TestGeneratedClusters ./golden -clusters $(CLUSTERS)
	$(GO) test -timeout 0 -v ./internal/apply/dataplane -kills 1000 -changes 1000 -lasting 60s -switches 200 -histories 1000 -uml-histories 100 -uml-bad-stages 8 -bad-stages-nft 8 -uml-changes 1000 -uml-limit 3h
	$(GO) test -timeout 0 -v -parallel 4 ./internal/testing/cnilayout -soak
	$(GO) test -timeout 0 -v ./backends/podnet/live -soak
	$(GO) test -timeout 0 -v -run TestProgramsSeeOneImage ./backends/ebpf/live -loads 1000 -lasting 60s
	$(GO) test -timeout 0 -v ./backends/ebpf/store -reads 100000000 -kills 1000
	$(GO) test -timeout 0 -v ./internal/apply/session -histories 3000
	$(GO) test -timeout 0 -v -run "TestAnyInput|TestKilledWhileAsking|TestIPVSInUML" ./internal/cli -inputs 5000 -guard-kills 100
	$(GO) test -timeout 0 -v ./backends/ipvs/live -every 1 -kills 200 -changes 1000 -measured 10000 -limit 3h
	$(MAKE) soak-agent

MUTANTS ?= ./internal/agent/loop ./internal/apply/applier ./internal/agent/drift ./internal/agent/health ./internal/input/synth

# Small changes of the code that no test notices, in half an hour.
# Fails where tests notice less than 90 % of those in the packages around the agent.
mutants: tools
	$(GO) run ./internal/testing/mutants -longest 30s $(MUTANTS)

# The size of each shelf: packages, files, lines, longest function, missing comments.
shelves:
	@$(GO) run ./internal/testing/shelves

# Known vulnerabilities of what planec is made of.
vuln:
	$(GO) run $(VULN) ./...
