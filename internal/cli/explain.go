package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/review/suppress"
	"github.com/planec/planec/ir/diag"
)

func newExplain(s *Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CODE...]",
		Short: "Say what a code of a diagnostic means, and how to mend it",
		Long: `explain says of a code, as PLC0711, when it is found, why that matters, what it looks
like and how to mend it. Without a code it lists all.`,
		Example: `  planec explain PLC0711
  planec explain | grep policy`,
		ValidArgsFunction: completeCodes,
		RunE: func(_ *cobra.Command, args []string) error {
			var codes []diag.Code
			for _, word := range args {
				code, err := suppress.ParseCode(word)
				if err != nil {
					return inputError(err)
				}
				codes = append(codes, code)
			}
			return explain(s, codes)
		},
	}
}

func explain(s *Streams, codes []diag.Code) error {
	var b strings.Builder
	for i, c := range codes {
		if i > 0 {
			b.WriteString("\n")
		}
		writeExplanation(&b, c)
	}
	if len(codes) == 0 {
		for _, c := range diag.Codes() {
			fmt.Fprintf(&b, "%s  %-7v  %s\n", c.Code, c.Severity, c.Title)
		}
	}
	_, err := fmt.Fprint(s.Out, b.String())
	return written(err)
}

func writeExplanation(b *strings.Builder, c diag.Code) {
	const width = 90
	info, e := c.Info(), c.Explain()
	fmt.Fprintf(b, "%s (%v): %s\n", c, info.Severity, info.Title)
	if e.Why != "" {
		fmt.Fprintf(b, "\n%s\n", wrapped(e.Why, width, "  "))
	}
	if e.Example != "" {
		fmt.Fprintf(b, "\nExample:\n    %s\n", strings.ReplaceAll(e.Example, "\n", "\n    "))
	}
	fmt.Fprintf(b, "\nWhat to do:\n%s\n", wrapped(info.Hint, width, "  "))
}

// wrapped wraps a text to a width and indents each line.
func wrapped(text string, width int, indent string) string {
	var lines []string
	line := indent
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > width && line != indent {
			lines, line = append(lines, line), indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, line), "\n")
}
