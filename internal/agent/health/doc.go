// Package health serves a node's health checks over HTTP, like kube-proxy
// (pkg/proxy/healthcheck of Kubernetes): /healthz and /livez for the node, and a
// port for each Service with a healthCheckNodePort, where an external load
// balancer asks whether this node has an endpoint (KEP-27).
package health
