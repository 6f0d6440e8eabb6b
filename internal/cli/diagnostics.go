package cli

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/planec/planec/ir/diag"
)

// reporting holds the flags about how diagnostics are shown and judged.
type reporting struct {
	strict     bool
	failOnWarn bool
	quiet      bool
	color      string
}

func (r *reporting) register(flags *pflag.FlagSet) {
	flags.BoolVar(&r.strict, "strict", false, "exit 2 when an object, or a part of one, was left out (an error, or a policy that is not read)")
	flags.BoolVar(&r.failOnWarn, "fail-on-warn", false, "exit 2 when there are errors or warnings")
	flags.BoolVarP(&r.quiet, "quiet", "q", false, "show warnings and errors only")
	flags.StringVar(&r.color, "color", "auto", "colour diagnostics: auto, always or never; NO_COLOR is respected")
}

// IsTerminal reports whether f is a terminal that shows colours.
func IsTerminal(f *os.File) bool {
	info, err := f.Stat()
	if null, nullErr := os.Stat(os.DevNull); err != nil || nullErr == nil && os.SameFile(info, null) {
		return false
	}
	return info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// printer writes diagnostics for people.
type printer struct {
	out   io.Writer
	color bool
	quiet bool
}

func (r *reporting) printer(out io.Writer, auto bool) (*printer, error) {
	p := &printer{out: out, quiet: r.quiet}
	switch r.color {
	case "auto":
		p.color = auto
	case "always":
		p.color = true
	case "never":
	default:
		return nil, inputError(fmt.Errorf("--color %q: want auto, always or never", r.color))
	}
	return p, nil
}

// print writes the diagnostics, and each hint at the first use of its code. It writes
// equal ones once, with their count and the first of their places.
func (p *printer) print(diags diag.List) {
	hinted := make(map[diag.Code]bool)
	more := equals(diags)
	for i, d := range diags {
		others, first := more[i]
		if !first || p.quiet && d.Severity() == diag.Info {
			continue
		}
		fmt.Fprintln(p.out, p.paint(d.Severity(), d.String()+moreText(others)))
		if hint := d.Hint(); hint != "" && d.Severity() != diag.Info && !hinted[d.Code] {
			hinted[d.Code] = true
			fmt.Fprintln(p.out, "  hint: "+hint)
		}
	}
}

// fewEqual is the number of equal findings up to which all are written.
const fewEqual = 3

// equals maps the index of each finding that is written to the other findings with the
// same message about objects of the same kind; notes need only nearly the same message.
func equals(diags diag.List) map[int]diag.List {
	type said struct {
		code          diag.Code
		note          bool
		kind, message string
	}
	by := make(map[said][]int)
	for i, d := range diags {
		key := said{d.Code, d.Note, d.Origin.Kind, d.Message}
		if d.Severity() == diag.Info {
			key.message = noteSaid(d)
		}
		by[key] = append(by[key], i)
	}
	out := make(map[int]diag.List, len(by))
	for _, places := range by {
		for n, i := range places {
			if len(places) <= fewEqual {
				out[i] = nil
			} else if n > 0 {
				out[places[0]] = append(out[places[0]], diags[i])
			}
		}
	}
	return out
}

// noteSaid is a note's message without the parts that differ between objects: namespace
// and name, addresses and numbers. Users should read a note once.
func noteSaid(d diag.Diagnostic) string {
	words := strings.Split(d.Message, " ")
	for i, w := range words {
		bare := strings.TrimRight(w, ",.:;")
		_, isAddr := netip.ParseAddr(bare)
		_, isNumber := strconv.Atoi(bare)
		if isAddr == nil || isNumber == nil || bare == d.Origin.Namespace || bare == d.Origin.Name || bare == d.Origin.Namespace+"/"+d.Origin.Name {
			words[i] = "#"
		}
	}
	return strings.Join(words, " ")
}

// moreText formats "(and 1399 more: a.yaml:5, a.yaml:9, b.yaml:3 ...)".
func moreText(others diag.List) string {
	if len(others) == 0 {
		return ""
	}
	var places []string
	for _, d := range others {
		place := d.Origin.Position()
		if place == "" {
			place = d.Origin.Object()
		}
		if place != "" && !slices.Contains(places, place) {
			places = append(places, place)
		}
		if len(places) == fewEqual {
			break
		}
	}
	text := fmt.Sprintf(" (and %d more", len(others))
	if len(places) > 0 {
		text += ": " + strings.Join(places, ", ")
	}
	if len(places) < len(others) {
		text += " ..."
	}
	return diag.Printable(text + ")")
}

func (p *printer) paint(s diag.Severity, line string) string {
	if !p.color {
		return line
	}
	colors := map[diag.Severity]string{diag.Error: "\x1b[31m", diag.Warning: "\x1b[33m", diag.Info: "\x1b[36m"}
	return colors[s] + line + "\x1b[0m"
}

// leftOut counts the findings about unused input.
func leftOut(diags diag.List) (n int) {
	for _, d := range diags {
		if d.Code.LeavesOut() {
			n++
		}
	}
	return n
}

// judge turns diagnostics into an error if the flags ask for it.
func (r *reporting) judge(diags diag.List) error {
	errors, warnings := diags.Count(diag.Error), diags.Count(diag.Warning)
	switch {
	case r.failOnWarn && errors+warnings > 0:
		return inputError(fmt.Errorf("%s and %s in the input", count(errors, "error"), count(warnings, "warning")))
	case r.strict && leftOut(diags) > errors:
		return inputError(fmt.Errorf("%s in the input, and %s that are not read", count(errors, "error"), count(leftOut(diags)-errors, "object")))
	case r.strict && errors > 0:
		return inputError(fmt.Errorf("%s in the input", count(errors, "error")))
	}
	return nil
}
