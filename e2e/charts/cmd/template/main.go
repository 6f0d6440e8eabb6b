// Command template prints what Helm makes of a chart: template CHART <VALUES. Tests of other
// modules use it, which cannot have Helm beside their own libraries.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/planec/planec/e2e/charts"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "template:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%d arguments: want the chart's directory", len(args))
	}
	values, err := io.ReadAll(os.Stdin)
	if err != nil {
		return fmt.Errorf("values: %w", err)
	}
	manifests, _, err := charts.RenderDir(args[0], values, charts.Release{Name: "planec", Namespace: "default"})
	if err != nil {
		return err
	}
	_, err = fmt.Print(manifests)
	return err
}
