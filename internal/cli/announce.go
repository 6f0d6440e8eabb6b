//go:build !js

package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/planec/planec/backends/frr"
	"github.com/planec/planec/compiler/announce"
	"github.com/planec/planec/ir/bgp"
	"github.com/planec/planec/ir/diag"
)

func newAnnounce(s *Streams) *cobra.Command {
	var in input
	var format string
	cmd := &cobra.Command{
		Use:   "announce -f PATH...",
		Short: "Say which node announces which addresses by BGP, to whom, and why not",
		Long: `announce reads the objects of MetalLB (BGPPeer, BGPAdvertisement, Community,
BFDProfile) and of Cilium (CiliumBGPClusterConfig, CiliumBGPPeerConfig,
CiliumBGPAdvertisement, CiliumBGPNodeConfigOverride), and prints for each node what
it tells each neighbor: prefixes, communities and local preferences, and which
Services they are for; then which addresses of Services it does not announce, and
why. With -o frr it prints the frr.conf of a node, as compile --bgp frr writes it.`,
		Example: `  planec announce -f manifests/ -R
  planec announce --context prod --node node-a

  # The configuration of FRR, and FRR's own look at it
  planec announce -f manifests/ --node node-a -o frr > frr.conf
  vtysh -C -f frr.conf`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			l, err := in.load(s)
			if err != nil {
				return err
			}
			return l.printAnnouncements(s.Out, format)
		},
	}
	in.care = empty
	in.register(cmd.Flags())
	formatFlag(cmd.Flags(), &format, "text", "json", "frr")
	return cmd
}

// printAnnouncements prints what nodes announce: the named one, or all.
func (l *loaded) printAnnouncements(w io.Writer, format string) error {
	c := l.announcing()
	nodes := l.cluster.Nodes()
	if l.nodeName != "" || format == "frr" {
		node, err := l.node()
		if err != nil {
			return err
		}
		nodes = []string{node}
	}
	if len(nodes) == 0 {
		return inputError(errors.New("the input has no Node objects: give --node"))
	}
	diags, all := append(slices.Clone(l.read), c.Diagnostics()...), make([]bgp.Speaker, 0, len(nodes))
	for _, n := range nodes {
		s, more := c.BGP(n)
		all, diags = append(all, s), append(diags, more...)
	}
	if err := writeAnnouncements(w, c, all, format, l.frrOptions()); err != nil {
		return err
	}
	return l.report(diags)
}

func writeAnnouncements(w io.Writer, c *announce.Cluster, all []bgp.Speaker, format string, o frr.Options) error {
	switch format {
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return written(e.Encode(announcementsJSON(all)))
	case "frr":
		_, err := w.Write(frr.Emit(&all[0], o).Files[0].Data)
		return written(err)
	}
	if !c.SpeaksBGP() {
		_, err := fmt.Fprintln(w, "no object says whom nodes announce to")
		return written(err)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NODE\tAS\tNEIGHBOR\tTOLD\tATTRIBUTES\tFOR")
	for i := range all {
		announcedRows(t, &all[i])
	}
	fmt.Fprintln(t, "\nNODE\tSERVICE\tADDRESS\tNOT ANNOUNCED, SINCE")
	for i := range all {
		for _, x := range all[i].Withheld {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", all[i].Node, x.Service, x.Addr, x.Why)
		}
	}
	return written(t.Flush())
}

func announcedRows(t io.Writer, s *bgp.Speaker) {
	if len(s.Routers) == 0 {
		fmt.Fprintf(t, "%s\t-\t-\t-\t-\tno peer is for this node\n", s.Node)
	}
	for i := range s.Routers {
		r := &s.Routers[i]
		for j := range r.Neighbors {
			n := &r.Neighbors[j]
			who := neighborText(n)
			if r.VRF != "" {
				who += " in VRF " + r.VRF
			}
			if len(n.Routes) == 0 {
				fmt.Fprintf(t, "%s\t%d\t%s\tnothing\t-\t-\n", s.Node, r.ASN, who)
			}
			for _, route := range n.Routes {
				fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\n", s.Node, r.ASN, who, route.Prefix, attributes(&route), reasonsText(route.Reasons))
			}
		}
	}
}

func neighborText(n *bgp.Neighbor) string {
	who := n.Interface
	if who == "" {
		who = n.Address.String()
	}
	as := "any other AS"
	switch {
	case n.Remote != 0:
		as = fmt.Sprintf("AS %d", n.Remote)
	case !n.External:
		as = "the same AS"
	}
	return fmt.Sprintf("%s (%s)", who, as)
}

func attributes(r *bgp.Route) string {
	var parts []string
	if r.LocalPref > 0 {
		parts = append(parts, fmt.Sprintf("local preference %d", r.LocalPref))
	}
	for _, c := range r.Communities {
		parts = append(parts, c.String())
	}
	return cmp.Or(strings.Join(parts, " "), "-")
}

// reasonsText names the Services of a route, the first few of many.
func reasonsText(list []bgp.Reason) string {
	const most = 3
	var names []string
	for _, r := range list {
		names = append(names, cmp.Or(r.Service, "pods of the node"))
	}
	names = slices.Compact(names)
	more := ""
	if len(names) > most {
		more, names = fmt.Sprintf(" and %d more", len(names)-most), names[:most]
	}
	return diag.Printable(strings.Join(names, ", ") + more)
}

// announcingNode is the JSON form of what a node announces.
type announcingNode struct {
	Node      string              `json:"node"`
	Neighbors []announcedNeighbor `json:"neighbors"`
	Withheld  []withheldAddress   `json:"withheld"`
}

type announcedNeighbor struct {
	LocalASN  uint32           `json:"localASN"`
	VRF       string           `json:"vrf,omitempty"`
	RouterID  netip.Addr       `json:"routerID"`
	Object    string           `json:"object"` // "BGPPeer namespace/name"
	Address   string           `json:"address,omitempty"`
	Interface string           `json:"interface,omitempty"`
	ASN       uint32           `json:"asn,omitempty"` // 0 is that of dynamicASN
	Routes    []announcedRoute `json:"routes"`
}

type announcedRoute struct {
	Prefix      netip.Prefix      `json:"prefix"`
	LocalPref   uint32            `json:"localPref,omitempty"`
	Communities []string          `json:"communities,omitempty"`
	For         []announcedReason `json:"for"`
}

type announcedReason struct {
	Service string     `json:"service,omitempty"` // namespace/name; absent for pods of the node
	Address netip.Addr `json:"address"`
	By      string     `json:"by"`
}

type withheldAddress struct {
	Service string     `json:"service"`
	Address netip.Addr `json:"address"`
	Why     string     `json:"why"`
}

func announcementsJSON(all []bgp.Speaker) []announcingNode {
	out := make([]announcingNode, 0, len(all))
	for _, s := range all {
		node := announcingNode{Node: s.Node, Neighbors: []announcedNeighbor{}, Withheld: []withheldAddress{}}
		for _, r := range s.Routers {
			for i := range r.Neighbors {
				node.Neighbors = append(node.Neighbors, neighborJSON(&r, &r.Neighbors[i]))
			}
		}
		for _, x := range s.Withheld {
			node.Withheld = append(node.Withheld, withheldAddress{x.Service, x.Addr, x.Why})
		}
		out = append(out, node)
	}
	return out
}

func neighborJSON(r *bgp.Router, n *bgp.Neighbor) announcedNeighbor {
	out := announcedNeighbor{
		LocalASN: r.ASN, VRF: r.VRF, RouterID: r.ID, Object: n.Origin.Object(), Interface: n.Interface, ASN: n.Remote, Routes: []announcedRoute{},
	}
	if n.Address.IsValid() {
		out.Address = n.Address.String()
	}
	for _, route := range n.Routes {
		x := announcedRoute{Prefix: route.Prefix, LocalPref: route.LocalPref}
		for _, c := range route.Communities {
			x.Communities = append(x.Communities, c.String())
		}
		for _, why := range route.Reasons {
			x.For = append(x.For, announcedReason{why.Service, why.Addr, why.By})
		}
		out.Routes = append(out.Routes, x)
	}
	return out
}
