//go:build !js

package cli

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/base/pseudonym"
)

// bundleCommand is `planec support-bundle`.
type bundleCommand struct {
	streams          *Streams
	output, stateDir string
	logs             []string
	redactNames      bool
}

func newBundle(s *Streams) *cobra.Command {
	c := &bundleCommand{streams: s}
	cmd := &cobra.Command{
		Use:   "support-bundle",
		Short: "Collect what a maintainer needs to look into a fault of this node",
		Long: `support-bundle writes an archive of texts: versions, the state of the agent with its
metrics and its configuration, the rules that the kernel should have and those that it
has, what differs, the kernel's settings for them, and the end of the log. It changes
nothing, follows no link, reads no Secret, and says what it could not get.

What looks like a password or a token is left out. With --redact-names, names of objects and
addresses are replaced by others, the same one by the same in all files; what is not text
is then left out too.`,
		Example: `  planec support-bundle -o bundle.tar.gz
  planec support-bundle -o bundle.tar.gz --redact-names --log /var/log/planec-agent.log`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return c.run() },
	}
	cmd.Flags().StringVarP(&c.output, "output", "o", "planec-support.tar.gz", "file to write; - for stdout")
	cmd.Flags().StringSliceVar(&c.logs, "log", nil, "files with the agent's log; the service manager's journal by default")
	cmd.Flags().BoolVar(&c.redactNames, "redact-names", false, "replace names of objects and addresses by others")
	registerStateDir(cmd.Flags(), &c.stateDir)
	return cmd
}

// collected is a file of the bundle.
type collected struct {
	name, about string
	data        []byte
	// missing says why there is no content, or not all.
	missing string
}

func (c *bundleCommand) run() error {
	ctx, stop := untilSignal()
	defer stop()
	files := c.collect(ctx)
	for i := range files {
		if f := &files[i]; f.isFree() && f.data != nil {
			f.data = withoutSecrets(f.data)
		}
	}
	if c.redactNames {
		files = withoutNames(files)
	}
	if err := ctx.Err(); err != nil {
		return systemError(err)
	}
	var b bytes.Buffer
	if err := pack(&b, files, time.Now()); err != nil {
		return systemError(err)
	}
	if c.output == "-" {
		_, err := b.WriteTo(c.streams.Out)
		return written(err)
	}
	// The archive has the rules of the node: it is its owner's.
	f, err := os.OpenFile(c.output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return inputError(fmt.Errorf("%s exists already: it is not written over", c.output))
	}
	if err != nil {
		return systemError(err)
	}
	if _, err := b.WriteTo(f); err != nil {
		return systemError(errors.Join(err, f.Close(), os.Remove(c.output)))
	}
	if err := f.Close(); err != nil {
		return systemError(err)
	}
	fmt.Fprintf(c.streams.Out, "%s: %s\n", c.output, count(len(files), "file"))
	return nil
}

// collect gets all files; each says itself what is missing.
func (c *bundleCommand) collect(ctx context.Context) []collected {
	var out []collected
	for _, source := range c.sources() {
		ctx, cancel := context.WithTimeout(ctx, bundlePatience)
		out = append(out, source(ctx)...)
		cancel()
	}
	return out
}

// withoutNames replaces names and addresses. The names are those that the files say.
func withoutNames(files []collected) (out []collected) {
	var names pseudonym.Names
	if host, err := os.Hostname(); err == nil {
		names.AddHost(host)
	}
	for _, f := range files {
		names.Add(namesIn(f)...)
		if strings.HasPrefix(f.name, "log") {
			names.AddPairs(f.data)
		}
		if f.isFree() {
			names.AddHosts(f.data)
		}
		names.AddHosts([]byte(f.missing))
	}
	for _, f := range files {
		if isBinary(f.data) {
			f.data, f.missing = nil, "it is no text, in which names could be replaced"
		}
		if f.data != nil {
			f.data = names.Replace(f.data)
		}
		f.missing = string(names.Replace([]byte(f.missing)))
		out = append(out, f)
	}
	return out
}

func isBinary(b []byte) bool { return bytes.IndexByte(b, 0) >= 0 }

// pack writes the archive, beginning with a file that says what the others are.
func pack(w io.Writer, files []collected, now time.Time) error {
	var about bytes.Buffer
	fmt.Fprintf(&about, "What planec support-bundle found on a node, %s.\n\n", now.UTC().Format(time.RFC3339))
	for _, f := range files {
		fmt.Fprintf(&about, "%-28s %s\n", f.name, f.about)
		if f.missing != "" {
			fmt.Fprintf(&about, "%-28s   not there: %s\n", "", f.missing)
		}
	}
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	for _, f := range append([]collected{{name: "README.txt", data: about.Bytes()}}, files...) {
		if f.data == nil {
			continue
		}
		h := &tar.Header{Name: "planec-support/" + f.name, Size: int64(len(f.data)), Mode: 0o600, ModTime: now.Truncate(time.Second)}
		if err := t.WriteHeader(h); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if _, err := t.Write(f.data); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return errors.Join(t.Close(), z.Close())
}
