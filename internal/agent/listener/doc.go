// Package listener has the servers that anybody can reach: the health of the
// proxy, its metrics, and the health check ports of Services. A client costs them a
// bounded number of connections, bytes and seconds, and cannot keep others out.
//
//	Listen ─▶ Gate ─▶ Server
//
// A Gate that is full closes a connection for the one that comes: of the address
// that has most of its share, or else the one that is idle, or has not finished
// its first request, for longest. So a load balancer's probe, which asks and goes,
// always gets in.
package listener
