// Command kube-proxy is the real kube-proxy, built from its module for the
// tests that run beside it or take over from it.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-proxy/app"
)

func main() { os.Exit(cli.Run(app.NewProxyCommand())) }
