package ipvs

// sysctls are what the rules rely on; the names exist once ip_vs is loaded.
const sysctls = `# IPVS keeps connection tracking informed: without it nothing it translates
# could be masqueraded, and filters would see replies of no connection.
net.ipv4.vs.conntrack = 1
# A client that uses a port again gets a new connection, and so an endpoint
# that still exists; since Linux 5.9 that costs no delay.
net.ipv4.vs.conn_reuse_mode = 1
# Connections to an endpoint that was removed end at once.
net.ipv4.vs.expire_nodest_conn = 1
# A client whose endpoint has weight 0 is given another one.
net.ipv4.vs.expire_quiescent_template = 1
# The node passes packets on to endpoints elsewhere.
net.ipv4.ip_forward = 1
net.ipv6.conf.all.forwarding = 1
# Every node has the virtual addresses: none must answer for them on the wire,
# nor ask with them (kube-proxy's strictARP).
net.ipv4.conf.all.arp_ignore = 1
net.ipv4.conf.all.arp_announce = 2
`
