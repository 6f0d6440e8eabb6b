// Package dnswrite writes the DNS records of a cluster as zone files (RFC 1035, section 5),
// as a file of hosts(5), and as JSON.
package dnswrite
