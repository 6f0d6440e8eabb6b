package testkit

// Kernel loads a backend's files into this machine's kernel in one way.
type Kernel struct {
	// Name is the name of Backend, and the variant of its tool if there are two.
	Name, Backend string
	// Tools are the programs that Load runs.
	Tools []string
	// Load loads the files, which file returns by name, into a node without
	// objects of planec.
	Load func(r *Rig, file func(string) []byte) error
}

// Kernels returns the ways that this machine supports; IPVS needs User Mode Linux,
// and programs of eBPF are loaded by planec only.
func Kernels() []Kernel {
	return []Kernel{
		{"nftables", "nftables", []string{"nft"}, func(r *Rig, file func(string) []byte) error {
			return r.LoadNFT(string(file("rules.nft")))
		}},
		{"iptables-legacy", "iptables", iptablesTools("legacy"), loadIPTables("legacy")},
		{"iptables-nft", "iptables", iptablesTools("nft"), loadIPTables("nft")},
	}
}

// iptablesTools returns the programs of one variant of iptables.
func iptablesTools(variant string) []string {
	return []string{"ipset", "iptables-" + variant + "-restore", "ip6tables-" + variant + "-restore"}
}

// loadIPTables returns a function that loads sets, chains, and the jumps to them.
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
