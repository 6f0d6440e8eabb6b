package testkit

import (
	"fmt"
	"os"
	"strings"
)

// setting is a sysctl below net and its value.
type setting struct{ name, value string }

// commonSettings apply to both namespaces. Addresses are usable at once without
// checks or announcements; ICMP errors are not rate limited, because a hundred
// rejected flows at once are normal here.
func commonSettings() []setting {
	return []setting{
		{"ipv4.conf.all.rp_filter", "0"},
		{"ipv4.conf.default.rp_filter", "0"},
		{"ipv4.conf.all.send_redirects", "0"},
		{"ipv4.conf.default.send_redirects", "0"},
		{"ipv4.conf.all.accept_redirects", "0"},
		{"ipv4.conf.default.accept_redirects", "0"},
		{"ipv4.icmp_ratemask", "0"},
		{"ipv6.icmp.ratelimit", "0"},
		{"ipv6.icmp.ratemask", "2"}, // excludes type 1, destination unreachable
		{"ipv6.conf.all.disable_ipv6", "0"},
		{"ipv6.conf.default.disable_ipv6", "0"},
		{"ipv6.conf.default.accept_dad", "0"},
		{"ipv6.conf.default.accept_ra", "0"},
		{"ipv6.conf.default.accept_redirects", "0"},
		{"ipv6.conf.default.addr_gen_mode", "1"},
	}
}

// nodeSettings make the node a router.
func nodeSettings() []setting {
	return []setting{
		{"ipv4.ip_forward", "1"},
		{"ipv6.conf.all.forwarding", "1"},
	}
}

// worldSettings allow the world to use addresses that none of its interfaces has.
func worldSettings() []setting {
	return []setting{
		{"ipv4.conf.all.accept_local", "1"},
		{"ipv6.ip_nonlocal_bind", "1"},
	}
}

// bridgeSettings say whether packets that a bridge passes on are seen by rules.
func bridgeSettings(rules bool) []setting {
	value := map[bool]string{false: "0", true: "1"}[rules]
	return []setting{{"bridge.bridge-nf-call-iptables", value}, {"bridge.bridge-nf-call-ip6tables", value}}
}

// proxySettings make an interface answer for every address that is elsewhere, at once,
// as Calico sets its interfaces.
func proxySettings(device string) []setting {
	return []setting{{"ipv4.conf." + device + ".proxy_arp", "1"}, {"ipv4.neigh." + device + ".proxy_delay", "0"}}
}

// sysctl writes settings of the namespace; /proc/sys/net refers to the namespace
// of the thread that opens it.
func (n *namespace) sysctl(settings []setting) error {
	return n.do(func() error {
		for _, s := range settings {
			path := "/proc/sys/net/" + strings.ReplaceAll(s.name, ".", "/")
			if err := os.WriteFile(path, []byte(s.value), 0); err != nil {
				return fmt.Errorf("sysctl %s=%s: %w", s.name, s.value, err)
			}
		}
		return nil
	})
}
