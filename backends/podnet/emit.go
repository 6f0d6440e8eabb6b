package podnet

import (
	"bytes"
	"fmt"
	"net/netip"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir/podnet"
)

// Name is the directory of the files, beside those of backends.
const Name = "podroutes"

// The files of an artifact.
const (
	RoutesFile     = "routes.batch"
	ForwardingFile = "fdb.batch"
)

// Emit returns the files of a network, for a kernel that has nothing of planec's. Devices
// come before what is on them, and routes last: what a route needs is there before it is.
func Emit(n *podnet.Network) backends.Artifact {
	var routes, fdb bytes.Buffer
	for _, b := range []*bytes.Buffer{&routes, &fdb} {
		fmt.Fprintf(b, "# planec: routes of node %s to pods of other nodes\n", n.Node)
	}
	for i := range n.Devices {
		device(&routes, &n.Devices[i])
	}
	for _, x := range n.Neighbours {
		fmt.Fprintf(&routes, "neigh replace %v lladdr %v dev %s nud permanent\n", x.Address, x.MAC, x.Device)
	}
	for _, x := range n.Routes {
		fmt.Fprintf(&routes, "route replace %v %svia %v ", x.To, tunnel(x.Tunnel), x.Via)
		if x.Device == "" {
			fmt.Fprintf(&routes, "proto %d\n", podnet.Protocol)
		} else {
			fmt.Fprintf(&routes, "dev %s proto %d onlink\n", x.Device, podnet.Protocol)
		}
	}
	for _, x := range n.Forwarding {
		fmt.Fprintf(&fdb, "fdb replace %v dev %s dst %v self permanent\n", x.MAC, x.Device, x.To)
	}
	return backends.Artifact{Files: []backends.File{{Name: ForwardingFile, Data: fdb.Bytes()}, {Name: RoutesFile, Data: routes.Bytes()}}}
}

func device(b *bytes.Buffer, d *podnet.Device) {
	fmt.Fprintf(b, "link add %s address %v mtu %d type %s ", d.Name, d.MAC, d.MTU, d.Kind)
	if d.Kind == podnet.InGeneve {
		fmt.Fprintf(b, "external dstport %d\n", d.Port)
	} else {
		fmt.Fprintf(b, "id %d local %v dstport %d nolearning\n", d.VNI, d.Local, d.Port)
	}
	for _, a := range d.Addresses {
		fmt.Fprintf(b, "address add %v dev %s", netip.PrefixFrom(a, a.BitLen()), d.Name)
		if a.Is6() {
			b.WriteString(" nodad")
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(b, "link set %s up\n", d.Name)
}

// tunnel is what a route says of one, with a space after it. Over IPv6 UDP has to have a
// checksum (RFC 8200, section 8.1).
func tunnel(t podnet.Tunnel) string {
	switch {
	case !t.To.IsValid():
		return ""
	case t.To.Is4():
		return fmt.Sprintf("encap ip id %d src %v dst %v ttl %d ", t.VNI, t.From, t.To, podnet.TunnelTTL)
	}
	return fmt.Sprintf("encap ip6 id %d src %v dst %v hoplimit %d csum ", t.VNI, t.From, t.To, podnet.TunnelTTL)
}
