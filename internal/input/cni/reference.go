package cni

import (
	"fmt"
	"strings"
)

// Reference returns the page of all rows, in Markdown.
func Reference() []byte {
	var b strings.Builder
	b.WriteString(pageHead)
	b.WriteString("| `--cni` | system | local pods | egress | policies | Services | layout: test | sure |\n|---|---|---|---|---|---|---|---|\n")
	systems := Systems()
	for i := range systems {
		s := &systems[i]
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s | %s | %s | %s | %s | %s |\n", s.Name, s.Name, s.Title, asCode(s.DetectLocal), s.Egress, s.Policy, s.Services,
			strings.Join(s.Tests(), "<br>"), s.Sure)
	}
	b.WriteString(pageColumns)
	for _, l := range Layouts() {
		test := "not run"
		if l.Test != "" {
			test = "`" + l.Test + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", l.Name, l.Doc, test, l.Limit)
	}
	b.WriteString("\n## Each system\n")
	for i := range systems {
		systems[i].section(&b)
	}
	return []byte(b.String())
}

const pageHead = "# Network plugins\n\n" +
	"Made from the table of `internal/input/cni` by its test (`go test ./internal/input/cni -update`).\n\n" +
	"A service proxy lives on a node that a network plugin has shaped: planec must know which packets are of the node's own pods, whether another program\n" +
	"masquerades what they send out of the cluster, and which marks are taken. `--cni NAME` of every command that takes settings of a node, or `cni` in a\n" +
	"NodeConfig, gives these settings the defaults of the row below; what is given by a flag or in a file counts more.\n\n" +
	"    planec config view --cni kubenet -o yaml\n    apiVersion: planec.io/v1alpha1\n    kind: NodeConfig\n    detectLocal: bridge:cbr0 # preset kubenet\n" +
	"    cni: kubenet # --cni\n    masqAgent: # preset kubenet\n      nonMasqueradeCIDRs: [10.0.0.0/8, 169.254.0.0/16]\n      masqLinkLocal: true\n\n" +
	"* `detectLocal` is the column *local pods*. Where it is `unknown`, the user gives it (PLC0406).\n" +
	"* `masqAgent` is set where the plugin leaves egress to the node (column *egress*). It means what `iptables -t nat -A POSTROUTING ! -d 10.0.0.0/8 -j MASQUERADE`\n" +
	"  does on such nodes, on every interface, but for destinations that are the node's own; link-local destinations are left alone, since 169.254.0.0/16 is in the list, as ip-masq-agent\n" +
	"  does. To have none beside a preset, give `masqAgent: {nonMasqueradeCIDRs: [0.0.0.0/0]}`.\n" +
	"* `masqueradeBit` stays 14 unless the plugin takes that bit for itself; then it is a bit that is free, and a note says so. A bit that is given, and\n" +
	"  taken, is a warning that names a free one (PLC0405). Backend ipvs uses bits 0 to 13 beside it (15 of them where the masquerade bit is among\n" +
	"  these), and warns where the plugin does.\n" +
	"* A plugin that serves Services in the place of kube-proxy is a warning (PLC0404): switch that off, or leave planec out.\n\n" +
	"`planec cni` lists the table, `planec cni NAME` says all of one row, and `planec cni --detect` looks which row a node has, or, with `-f`, the DaemonSets of\n" +
	"manifests. It exits 1 where it cannot tell. `--cni auto` of planec-agent, `planec apply` and `planec verify` looks in the same way and says what it took\n" +
	"(PLC0407). The agent starts without a preset where it cannot tell (PLC0408), since plugins are often installed once Services are served, looks again\n" +
	"every ten seconds, and ends to be started anew with other settings when the answer changes. Its pod needs the node's `/etc/cni/net.d`, read-only, at\n" +
	"that path or at that of `--cni-conf-dir`; the Helm chart mounts it where `nodeConfig.cni` is `auto`.\n\n" +
	"**How a node's plugin is found.** The runtime takes the first file of `/etc/cni/net.d` by name with the ending `.conflist`, `.conf` or `.json`, and so does\n" +
	"planec; a file that cannot be read is said (PLC0409) and the next one taken, as CRI-O does (containerd stops there). The first plugin of the file decides;\n" +
	"portmap, bandwidth, tuning and others behind it do not, but for cilium-cni, which is `cilium-chained`. The name of the file, of the network, of the bridge,\n" +
	"and the node's interfaces tell systems apart that have one plugin. Multus is followed to its `clusterNetwork`, first delegate, or the next file;\n" +
	"CNI-Genie to its `default_plugin`. Where no file is there, interfaces decide if they are one system's alone.\n\n"

const pageColumns = "\n*egress*: who masquerades what pods send out of the cluster. *policies*: who enforces NetworkPolicies; planec with `--policies` beside a plugin that does\n" +
	"makes both hold: what one denies is denied. *Services*: `leaves them` to kube-proxy, and so to planec; `serves pods`: the plugin for connections of pods,\n" +
	"planec for all others; `may serve`: the plugin, where a setting says so; `serves them`: the plugin in the place of kube-proxy. *sure*: `read` in files or\n" +
	"documents of the project (some names of DaemonSets, images, devices and ports are those that manifests of users have), `reported` by others, `unread`: hardly more than a name. \n\n" +
	"A test of `internal/testing/cnilayout` has run the golden flows on a node with the layout, and the row's way to recognise local pods or another one's with that\n" +
	"layout: not the plugin itself, with its own rules. On a usual kernel these are nftables, iptables (both tools) and ebpf on bridges, routed veths and VXLAN, and\n" +
	"nftables and ebpf on macvlan; in User Mode Linux ipvs on the same layouts but macvlan, ipvs and iptables on Geneve and Open vSwitch, and iptables on ipvlan. In Debian's kernels 6.1 and 6.12\n" +
	"(`make kernels`) nftables, iptables and ipvs have run on Geneve, Open vSwitch and ipvlan, and ebpf on Geneve, Open vSwitch and the layouts of a usual kernel. \"limits\" are in the table below. Each system's marks, set and cleared in all packets by a\n" +
	"neighbour's rules, change nothing of what nftables and iptables masquerade with the bit that `--cni` chooses (`TestMarks`), and the egress of a preset is that of the\n" +
	"iptables rule above (`TestEgress`).\n\n" +
	"| layout | what packets of pods pass | test | limits |\n|---|---|---|---|\n"

func asCode(s string) string {
	if s == Unknown {
		return s
	}
	return "`" + s + "`"
}

// Line is one field of a row in words.
type Line struct{ Name, Text string }

// Lines returns everything of a row in words, in order, without what is empty.
func (s *System) Lines() (out []Line) {
	add := func(name string, texts ...string) {
		if text := strings.Join(texts, "; "); text != "" {
			out = append(out, Line{name, text})
		}
	}
	add("other names", strings.Join(s.Aliases, ", "))
	add("local pods", s.DetectLocal+": "+s.Why)
	egress := string(s.Egress)
	for i, p := range s.NonMasquerade {
		egress += map[bool]string{true: ": the preset masquerades all but ", false: ", "}[i == 0] + p.String()
	}
	add("egress", egress)
	add("policies", string(s.Policy))
	add("Services", string(s.Services))
	add("switch off", s.SwitchOff...)
	add("give", s.Give...)
	var marks, ports []string
	for _, m := range s.Marks {
		marks = append(marks, m.String()+" "+m.Use)
	}
	for _, p := range s.Ports {
		ports = append(ports, p.String())
	}
	add("marks", marks...)
	add("nftables tables", strings.Join(s.Tables, ", "))
	add("chains", strings.Join(s.Chains, ", "))
	add("devices", strings.Join(s.Devices, ", "))
	add("ports", strings.Join(ports, ", "))
	add("layout", strings.Join(s.Tests(), ", "))
	add("found by", s.Signs.lines()...)
	add("sure", string(s.Sure))
	add("not known", s.Doubts...)
	add("sources", s.Sources...)
	return out
}

func (s *Signs) lines() (out []string) {
	for _, l := range []struct {
		name string
		list []string
	}{
		{"CNI plugin", s.Types}, {"files", s.Files}, {"networks", s.Networks}, {"bridges", s.Bridges}, {"interfaces", s.Interfaces}, {"DaemonSets", s.DaemonSets}, {"images", s.Images},
	} {
		if len(l.list) > 0 {
			out = append(out, l.name+" "+strings.Join(l.list, ", "))
		}
	}
	return out
}

// section writes a row in Markdown.
func (s *System) section(b *strings.Builder) {
	fmt.Fprintf(b, "\n### %s\n\n%s.\n\n", s.Name, s.Title)
	for _, l := range s.Lines() {
		if l.Name == "sources" {
			fmt.Fprintf(b, "* **%s**: <%s>\n", l.Name, strings.Join(s.Sources, ">, <"))
			continue
		}
		text := strings.ReplaceAll(l.Text, "*", "\\*")
		fmt.Fprintf(b, "* **%s**: %s\n", l.Name, strings.ReplaceAll(text, "_", "\\_"))
	}
}
