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
		if x.Device == "" {
			fmt.Fprintf(&routes, "route replace %v via %v proto %d\n", x.To, x.Via, podnet.Protocol)
		} else {
			fmt.Fprintf(&routes, "route replace %v via %v dev %s proto %d onlink\n", x.To, x.Via, x.Device, podnet.Protocol)
		}
	}
	for _, x := range n.Forwarding {
		fmt.Fprintf(&fdb, "fdb replace %v dev %s dst %v self permanent\n", x.MAC, x.Device, x.To)
	}
	return backends.Artifact{Files: []backends.File{{Name: ForwardingFile, Data: fdb.Bytes()}, {Name: RoutesFile, Data: routes.Bytes()}}}
}

func device(b *bytes.Buffer, d *podnet.Device) {
	fmt.Fprintf(b, "link add %s address %v mtu %d type vxlan id %d local %v dstport %d nolearning\n", d.Name, d.MAC, d.MTU, d.VNI, d.Local, d.Port)
	fmt.Fprintf(b, "address add %v dev %s", netip.PrefixFrom(d.Address, d.Address.BitLen()), d.Name)
	if d.Address.Is6() {
		b.WriteString(" nodad")
	}
	fmt.Fprintf(b, "\nlink set %s up\n", d.Name)
}
