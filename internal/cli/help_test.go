package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/cli"
)

// TestExamplesAreThere wants every file of the project that help names to be there.
func TestExamplesAreThere(t *testing.T) {
	var look func(c *cobra.Command)
	found := 0
	look = func(c *cobra.Command) {
		for _, word := range strings.Fields(c.Example + " " + c.Long) {
			if !strings.HasPrefix(word, "examples/") {
				continue
			}
			found++
			if _, err := os.Stat(filepath.Join("../..", word)); err != nil {
				t.Errorf("%s: %v", c.CommandPath(), err)
			}
		}
		for _, sub := range c.Commands() {
			look(sub)
		}
	}
	if look(cli.Command()); found == 0 {
		t.Error("help names no example of the project")
	}
}
