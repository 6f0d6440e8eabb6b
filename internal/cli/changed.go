//go:build !js

package cli

import (
	"bufio"
	"fmt"
	"io"

	"github.com/planec/planec/ir/diag"
)

// changed is what apply, verify, rollback and clean did to this kernel, or found in it.
// Its JSON is what `-o json` prints, and stays: fields may be added.
type changed struct {
	// Command is apply, verify, rollback or clean.
	Command string `json:"command"`
	// Backend is whose rules these are; "" where it is not one backend.
	Backend string `json:"backend,omitempty"`
	// Changed reports whether the command changed the kernel. A change that apply
	// --confirm-within takes back later was one.
	Changed bool `json:"changed"`
	// InSync reports whether the kernel has all the rules that it should have, at the
	// end of the command. After clean it is true; a dry run of it says whether nothing is left.
	InSync bool `json:"inSync"`
	// Steps are what was changed, in order; of verify and --dry-run, what would be.
	Steps []string `json:"steps"`
	// Serves says in a sentence what is in the kernel now, or why nothing was changed.
	Serves string `json:"serves,omitempty"`

	// none is the word for no step in text, as in "nothing removed"; "" for no line.
	none string
}

// write prints a result in a format: text or json.
func (c *changed) write(w io.Writer, format string) error {
	if format == "json" {
		if c.Steps == nil {
			c.Steps = []string{}
		}
		return written(encode(w, c))
	}
	out := bufio.NewWriter(w)
	for _, step := range c.Steps {
		fmt.Fprintln(out, diag.Printable(step)) // the writer keeps errors
	}
	if len(c.Steps) == 0 && c.none != "" {
		fmt.Fprintln(out, "nothing "+c.none)
	}
	if c.Serves != "" {
		fmt.Fprintln(out, c.Serves)
	}
	return written(out.Flush())
}

// kernelForms are the formats of commands about the kernel.
func kernelForms() []string { return []string{"text", "json"} }
