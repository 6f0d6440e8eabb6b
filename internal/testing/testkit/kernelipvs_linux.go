package testkit

import "fmt"

// IPVS returns the way to load the backend ipvs, for tests inside User Mode Linux.
func IPVS() Kernel {
	return Kernel{
		Name: "ipvs", Backend: "ipvs",
		Tools: []string{"ipvsadm", "ipset", "iptables-legacy-restore", "ip6tables-legacy-restore", "ip", "sysctl"},
		Load:  loadIPVS,
	}
}

// IPVSModules are the kernel's modules that its rules need. Without some of them the
// kernel of User Mode Linux would have to ask for a module with each rule.
func IPVSModules() []string {
	return []string{
		"ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_lc", "ip_vs_sh", "ip_vs_mh", "xt_ipvs",
		"ip_set", "ip_set_hash_ip", "ip_set_hash_net", "ip_set_hash_ipport", "ip_set_hash_ipportip", "ip_set_hash_ipportnet", "xt_set",
		"iptable_filter", "iptable_nat", "iptable_mangle", "ip6table_filter", "ip6table_nat", "ip6table_mangle",
		"nf_conntrack", "nf_conntrack_netlink", "dummy", "veth", "bridge", "br_netfilter",
	}
}

// loadIPVS loads settings, sets, addresses, Services, chains, and the jumps to them.
func loadIPVS(r *Rig, file func(string) []byte) error {
	for _, step := range []struct {
		file string
		args []string
	}{
		{"sysctl.conf", []string{"sysctl", "-q", "-p", "-"}},
		{"ipset.rules", []string{"ipset", "-exist", "restore"}},
		{"addresses.batch", []string{"ip", "-batch", "-"}},
		{"ipvsadm.rules", []string{"ipvsadm", "-R"}},
		{"iptables.rules", []string{"iptables-legacy-restore", "--noflush"}},
		{"ip6tables.rules", []string{"ip6tables-legacy-restore", "--noflush"}},
		{"iptables-jumps.rules", []string{"iptables-legacy-restore", "--noflush"}},
		{"ip6tables-jumps.rules", []string{"ip6tables-legacy-restore", "--noflush"}},
	} {
		if _, err := r.Run(string(file(step.file)), step.args[0], step.args[1:]...); err != nil {
			return fmt.Errorf("%s: %w", step.file, err)
		}
	}
	return nil
}
