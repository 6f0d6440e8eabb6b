// Package bpf has the programs that use the maps of an image: C sources, and the objects
// that are built of them, which a build of planec embeds and does not compile.
//
// The sources and objects of this folder are under GPL-2.0-only OR Apache-2.0, since
// some helpers of the kernel ask for the former. `go generate` builds the objects, with
// clang 14; `make bpf-check` builds them again and compares the bytes.
package bpf

//go:generate go run github.com/cilium/ebpf/cmd/bpf2go@v0.22.0 -cc clang-14 -no-global-types -go-package bpf -target bpfel Socket socket.c -- -O2 -g -Wall -Werror -mcpu=v1 -fno-ident
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go@v0.22.0 -cc clang-14 -no-global-types -go-package bpf -target bpfel Torn torn.c -- -O2 -g -Wall -Werror -mcpu=v1 -fno-ident
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go@v0.22.0 -cc clang-14 -no-global-types -go-package bpf -target bpfel Policy policy.c -- -O2 -g -Wall -Werror -mcpu=v1 -fno-ident
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go@v0.22.0 -cc clang-14 -no-global-types -go-package bpf -target bpfel Image image.c -- -O2 -g -Wall -Werror -mcpu=v1 -fno-ident
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go@v0.22.0 -cc clang-14 -no-global-types -go-package bpf -target bpfel Ended ended.c -- -O2 -g -Wall -Werror -mcpu=v1 -fno-ident
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go@v0.22.0 -cc clang-14 -no-global-types -go-package bpf -target bpfel Veth veth.c -- -O2 -g -Wall -Werror -mcpu=v1 -fno-ident

// ABI is what the programs agree about with the maps: they must not be attached over those
// of another version (layout.Info.ABI).
const ABI = 3
