// Package frrtest runs FRR (https://frrouting.org) in network namespaces of its own: hosts on one
// bridge, each with zebra, bgpd and bfdd. Its daemons are started by the test, with all their
// files in the test's own directory, and end with it; FRR's service and /etc/frr are not touched.
package frrtest
