// Package examples holds the examples that a planec has inside.
package examples

import (
	"embed"
	"io/fs"
)

//go:embed shop/*.yaml shop/settings/node.yaml
var files embed.FS

// Shop is examples/shop: manifests, and settings/node.yaml.
func Shop() fs.FS {
	below, err := fs.Sub(files, "shop")
	if err != nil {
		panic(err) // the name is valid
	}
	return below
}
