package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/review/suppress"
	"github.com/planec/planec/ir/diag"
)

// ignoring holds the flags of lint that suppress findings.
type ignoring struct {
	codes           []diag.Code
	baseline, write string
}

func (i *ignoring) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Var(&codesFlag{&i.codes}, "ignore", "codes not to show or count, as PLC0711; may be repeated, or with commas")
	flags.StringVar(&i.baseline, "baseline", "", "file of findings not to show or count; --write-baseline makes it")
	flags.StringVar(&i.write, "write-baseline", "", "write the errors and warnings that are found to a file, and exit 0")
	// It fails only for an unknown flag.
	_ = cmd.RegisterFlagCompletionFunc("ignore", completeCodes)
}

// codesFlag is a flag with diagnostic codes.
type codesFlag struct{ value *[]diag.Code }

// String implements [pflag.Value].
func (c *codesFlag) String() string {
	var words []string
	for _, code := range *c.value {
		words = append(words, string(code))
	}
	return strings.Join(words, ",")
}

// Set implements [pflag.Value].
func (c *codesFlag) Set(s string) error {
	for word := range strings.SplitSeq(s, ",") {
		code, err := suppress.ParseCode(word)
		if err != nil {
			return err
		}
		*c.value = append(*c.value, code)
	}
	return nil
}

// Type implements [pflag.Value].
func (c *codesFlag) Type() string { return "codes" }

// completeCodes completes codes, with their titles.
func completeCodes(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	before, word := "", typed
	if comma := strings.LastIndexByte(typed, ','); comma >= 0 {
		before, word = typed[:comma+1], typed[comma+1:]
	}
	var out []string
	for _, c := range diag.Codes() {
		if strings.HasPrefix(string(c.Code), strings.ToUpper(word)) {
			out = append(out, before+string(c.Code)+"\t"+c.Title)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// rules reads the baseline. File names in it are relative to its directory, so that it
// means the same wherever planec runs.
func (i *ignoring) rules(a suppress.Annotations) (suppress.Rules, error) {
	r := suppress.Rules{Annotations: a, Codes: i.codes}
	if i.baseline == "" || i.write != "" {
		return r, nil // a baseline to write contains the findings of the old one
	}
	text, err := readRegular(i.baseline)
	if errors.Is(err, fs.ErrNotExist) {
		return r, inputError(fmt.Errorf("--baseline: %w; --write-baseline %s makes it", err, i.baseline))
	}
	if err == nil {
		r.Baseline, err = suppress.ReadBaseline(text, seenFrom(i.baseline))
	}
	if err != nil {
		return r, inputError(fmt.Errorf("--baseline %s: %w", i.baseline, err))
	}
	return r, nil
}

// save writes the baseline of the findings, if requested.
func (i *ignoring) save(diags diag.List) (saved string, err error) {
	if i.write == "" {
		return "", nil
	}
	if err := i.replaceable(); err != nil {
		return "", err
	}
	b := suppress.NewBaseline(diags, seenFrom(i.write))
	if err := replaceFile(i.write, b.Write); err != nil {
		if known := (*exitError)(nil); errors.As(err, &known) {
			return "", inputError(fmt.Errorf("--write-baseline: %w", err))
		}
		return "", systemError(fmt.Errorf("--write-baseline: %w", err))
	}
	return fmt.Sprintf("%s: wrote %s", i.write, count(b.Len(), "finding")), nil
}

// replaceable rejects overwriting a file that is not a baseline, such as a manifest, and
// creating a file with the name that means a stream elsewhere.
func (i *ignoring) replaceable() error {
	if i.write == standardInput {
		return inputError(errors.New("--write-baseline -: give the name of a file"))
	}
	text, err := readRegular(i.write)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && len(text) > 0 {
		_, err = suppress.ReadBaseline(text, seenFrom(i.write))
	}
	if err != nil {
		return inputError(fmt.Errorf("--write-baseline %s: the file is there and is not replaced: %w", i.write, err))
	}
	return nil
}

// seenFrom makes file names relative to the directory of another file, with slashes. A
// name that cannot be made relative stays.
func seenFrom(path string) func(string) string {
	dir, err := filepath.Abs(filepath.Dir(path))
	return func(file string) string {
		if err != nil || file == stdinName {
			return file
		}
		whole, err := filepath.Abs(file)
		if err != nil {
			return file
		}
		rel, err := filepath.Rel(dir, whole)
		if err != nil {
			return file
		}
		return filepath.ToSlash(rel)
	}
}

// staleText reports that a baseline has entries without findings, or returns "".
func staleText(path string, stale []suppress.Entry) string {
	if len(stale) == 0 {
		return ""
	}
	first := string(stale[0].Code)
	if stale[0].Object != "" {
		first += " of " + stale[0].Object
	}
	if stale[0].File != "" {
		first += " in " + stale[0].File
	}
	entries := "1 entry is stale: "
	if len(stale) > 1 {
		entries = fmt.Sprintf("%d entries are stale, as ", len(stale))
	}
	return diag.Printable(fmt.Sprintf("%s: %s%s is not found any more (--write-baseline %s leaves it out)", path, entries, first, path))
}
