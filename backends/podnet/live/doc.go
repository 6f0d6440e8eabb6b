// Package live puts a node's pod routes into a kernel by netlink, and reads them back.
//
// planec's are: routes of the main table with its protocol number, and the devices with its
// names, with all that is on them. Everything else is another program's, and is never
// changed. A podCIDR to which another program has a route of whatever kind gets none.
//
// New things come before what needs them and old ones go last; a route that leads elsewhere
// now is replaced and not removed, so there is no moment without it. Nothing of this needs
// the process to live: after a kill -9 packets go on, and the next start finds what it made.
package live
