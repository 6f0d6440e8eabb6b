package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/internal/testing/growth"
)

// grow prints the growth of work for hostile objects.
func (b *bench) grow() error {
	ctx := context.Background()
	p, err := growth.Build(ctx, b.tmp)
	if err != nil {
		return err
	}
	fmt.Print("\n| hostile objects | n | kB in and out | statements, millions | exponent |\n|---|---|---|---|---|\n")
	for _, s := range slices.Concat(clustergen.HostilePolicies(), clustergen.HostileServices()) {
		var samples [3]growth.Sample
		for i := range samples {
			if samples[i], err = p.Measure(ctx, s, s.Size<<i); err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
		}
		last := samples[len(samples)-1]
		fmt.Printf("| %s | %d | %.0f | %.1f | %.2f |\n", s.Name, s.Size<<2, last.Bytes/1000, last.Statements/1e6, growth.Exponent(samples[0], samples[1], samples[2]))
	}
	return nil
}
