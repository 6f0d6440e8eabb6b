package live

import (
	"maps"
	"slices"
	"strings"
)

// sysctlNames are the sysctls that artifacts set.
var sysctlNames = []string{
	"net.ipv4.vs.conntrack",
	"net.ipv4.vs.conn_reuse_mode",
	"net.ipv4.vs.expire_nodest_conn",
	"net.ipv4.vs.expire_quiescent_template",
	"net.ipv4.ip_forward",
	"net.ipv6.conf.all.forwarding",
	"net.ipv4.conf.all.arp_ignore",
	"net.ipv4.conf.all.arp_announce",
}

// sysctlFeature names the kernel feature that is missing if the sysctl does not exist.
func sysctlFeature(name string) string {
	switch {
	case name == "net.ipv4.vs.conntrack":
		return "IPVS with connection tracking (module ip_vs, CONFIG_IP_VS_NFCT)"
	case strings.HasPrefix(name, "net.ipv4.vs."):
		return "IPVS (module ip_vs, CONFIG_IP_VS; all its settings since Linux 4.1)"
	case strings.HasPrefix(name, "net.ipv6."):
		return "IPv6 (CONFIG_IPV6; the boot parameter ipv6.disable=1 switches it off)"
	}
	return "IPv4 (CONFIG_INET, CONFIG_SYSCTL)"
}

// differing returns the names in want whose values differ from have, sorted.
func differing(have, want map[string]string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if have[name] != want[name] {
			out = append(out, name)
		}
	}
	return out
}
