package ipvs

import "github.com/planec/planec/ir"

// fromSelf matches packets whose source is one of the node's own addresses, the
// virtual ones among them.
const fromSelf = " -m addrtype --src-type LOCAL"

// maxInterface is the length of the longest interface name (IFNAMSIZ - 1); a
// prefix as long as that is a name.
const maxInterface = 15

// podSources are the matches of packets that the node's detector calls local:
// one of them must fit. None means that the family has no detector.
func (t *table) podSources() []string {
	local := &t.program.Node.Local
	switch local.Mode {
	case ir.DetectCIDR:
		var list []string
		for _, p := range ir.PrefixesOf(t.family, local.CIDRs) {
			if p.Bits() == 0 {
				list = append(list, "") // iptables-save prints no match for everything
				continue
			}
			list = append(list, " -s "+p.String())
		}
		return list
	case ir.DetectInterface:
		return []string{" -i " + local.Interface}
	case ir.DetectInterfacePrefix:
		if len(local.Interface) < maxInterface {
			return []string{" -i " + local.Interface + "+"}
		}
		return []string{" -i " + local.Interface}
	}
	return nil
}

// toClass goes to one chain with what local pods send, to another with what
// the node sends.
func (t *table) toClass(pods, node string) []string {
	var rules []string
	for _, match := range t.podSources() {
		rules = append(rules, match+" -g "+pods)
	}
	return append(rules, fromSelf+" -g "+node)
}
