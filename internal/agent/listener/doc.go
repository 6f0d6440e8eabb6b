// Package listener serves HTTP to clients that nothing authenticates: the proxy's health
// and metrics, and the health check ports of Services. It bounds the connections, bytes and
// seconds that one client can use, so that no client keeps others out.
//
//	Listen ─▶ Gate ─▶ Server
//
// A Gate that is full closes one connection to accept a new one: a connection of the
// address that uses most of its share, or else the one that has been idle, or has not
// finished its first request, for the longest time. So the short probe of a load balancer
// always succeeds.
package listener
