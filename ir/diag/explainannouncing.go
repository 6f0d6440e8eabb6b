package diag

// aboutAnnouncing explains the codes of announced addresses: PLC0141 to PLC0144.
var aboutAnnouncing = map[Code]Explanation{
	BadBGP: {
		"MetalLB and Cilium refuse such an object, MetalLB with its whole configuration. Here the part that is wrong is left out: a neighbor without an address is no neighbor, a community that is none is not sent.",
		"apiVersion: metallb.io/v1beta2\nkind: BGPPeer\nmetadata: {name: tor}\nspec: {myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.300}",
	},
	BGPConflict: {
		"A node has one router in each VRF, with one AS number and one identifier, and one session to each neighbor. Where two objects want two, the older one decides; without ages, the one whose name sorts first.",
		"kind: BGPPeer\nmetadata: {name: a}\nspec: {myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.1}\n---\nkind: BGPPeer\nmetadata: {name: b}\nspec: {myASN: 64599, peerASN: 64513, peerAddress: 192.0.2.2}    # another AS number of the node",
	},
	BGPPassword: {
		"planec reads no Secrets, and a password in a BGPPeer is written into frr.conf only with --bgp-passwords, since the file may be committed. The neighbor refuses a session without its password.",
		"apiVersion: metallb.io/v1beta2\nkind: BGPPeer\nmetadata: {name: tor}\nspec: {myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.1, passwordSecret: {name: tor}}",
	},
	BGPUndone: {
		"The configuration of FRR that planec writes has no word for it, or only the node itself knows what it would be, such as its default gateway. Everything else of the object is used.",
		"apiVersion: cilium.io/v2\nkind: CiliumBGPClusterConfig\nmetadata: {name: rack}\nspec: {bgpInstances: [{name: main, localASN: 64512, peers: [{name: tor, peerASN: 64513, autoDiscovery: {mode: DefaultGateway, defaultGateway: {addressFamily: ipv4}}}]}]}",
	},
}
