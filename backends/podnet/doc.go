// Package podnet writes a node's pod routes as the input of iproute2, and reads them back:
//
//	routes.batch   devices, their addresses, neighbours and routes: ip -batch
//	fdb.batch      which node a MAC address is at: bridge -batch
//
// ip has no command for forwarding entries, so these are in a file of their own. It is no
// backend: the routes do not depend on which one serves, and say nothing of Services.
package podnet
