package testkit

// Kernel is a way to put a backend's files into the kernel of this machine.
type Kernel struct {
	// Name is the backend's, with the variant of its tool where there are two.
	Name, Backend string
	// Tools are the programs that Load runs.
	Tools []string
	// Load puts the files, which file returns by name, into a node that has
	// nothing of ours yet.
	Load func(r *Rig, file func(string) []byte) error
}

// Kernels lists the ways whose kernels this machine has; IPVS needs User Mode
// Linux, and eBPF images have no programs yet.
func Kernels() []Kernel {
	return []Kernel{
		{"nftables", "nftables", []string{"nft"}, func(r *Rig, file func(string) []byte) error {
			return r.LoadNFT(string(file("rules.nft")))
		}},
		{"iptables-legacy", "iptables", iptablesTools("legacy"), loadIPTables("legacy")},
		{"iptables-nft", "iptables", iptablesTools("nft"), loadIPTables("nft")},
	}
}

// iptablesTools are the programs of one variant of iptables.
func iptablesTools(variant string) []string {
	return []string{"ipset", "iptables-" + variant + "-restore", "ip6tables-" + variant + "-restore"}
}

// loadIPTables loads sets, chains, and the jumps to them.
func loadIPTables(variant string) func(*Rig, func(string) []byte) error {
	return func(r *Rig, file func(string) []byte) error {
		_, err := r.Run(string(file("ipset.rules")), "ipset", "restore")
		for _, family := range []string{"iptables", "ip6tables"} {
			for _, name := range []string{family + ".rules", family + "-jumps.rules"} {
				if err == nil {
					_, err = r.Run(string(file(name)), family+"-"+variant+"-restore", "--noflush")
				}
			}
		}
		return err
	}
}
