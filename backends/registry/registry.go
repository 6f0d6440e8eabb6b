package registry

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/iptables"
	"github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/backends/nftables"
)

// All returns the backends with the given options, in the order in which
// users see them.
func All(o backends.Options) []backends.Backend {
	return []backends.Backend{
		nftables.New(o),
		iptables.New(o),
		ipvs.New(o),
		ebpf.New(o),
	}
}

// Names returns the names of all backends.
func Names() []string {
	var names []string
	for _, b := range All(backends.DefaultOptions()) {
		names = append(names, b.Name())
	}
	return names
}

// Select returns the named backends in the order of All, without duplicates.
// No names, or "all", selects every backend.
func Select(o backends.Options, names ...string) ([]backends.Backend, error) {
	all := All(o)
	if len(names) == 0 || slices.Contains(names, "all") {
		return all, nil
	}
	for _, name := range names {
		if !slices.Contains(Names(), name) {
			return nil, fmt.Errorf("no backend is named %q: there is %s", name, strings.Join(Names(), ", "))
		}
	}
	return slices.DeleteFunc(all, func(b backends.Backend) bool { return !slices.Contains(names, b.Name()) }), nil
}
