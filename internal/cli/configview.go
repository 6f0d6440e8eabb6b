package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/internal/input/nodeflags"
	"github.com/planec/planec/ir/diag"
)

// configView is `planec config view`.
type configView struct {
	reporting
	streams  *Streams
	settings nodeflags.Flags
	format   string
}

func newConfigView(s *Streams) *cobra.Command {
	c := &configView{streams: s}
	cmd := &cobra.Command{
		Use:   "view [--config FILE] [FLAGS]",
		Short: "Say which settings hold, and where each comes from",
		Long: `view prints every setting with its value and its place: a flag, a line of a file,
the preset of --cni or the default. As yaml it is a NodeConfig of all that is no default.`,
		Example: `  planec config view --config node.yaml --detect-local node-cidr
  planec config view --config kube-proxy.yaml -o yaml > node.yaml`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return c.run() },
	}
	c.settings.Register(cmd.Flags())
	c.settings.RegisterDetection(cmd.Flags())
	c.register(cmd.Flags())
	formatFlag(cmd.Flags(), &c.format, "text", "yaml", "json")
	return cmd
}

// viewed is a setting with its value and where that comes from.
type viewed struct {
	Name  string `json:"name"`
	Flag  string `json:"flag,omitempty"`
	Value any    `json:"value"` // null is the default
	// From is default, file, flag or preset; File, Line and Field say where in a file, Preset
	// is the network plugin.
	From    string `json:"from"`
	Preset  string `json:"preset,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Field   string `json:"field,omitempty"`
	Default string `json:"default"` // in words
}

func (c *configView) run() error {
	p, err := c.printer(c.streams.Err, c.streams.ErrColor)
	if err != nil {
		return err
	}
	config, diags, err := c.settings.Read()
	if err != nil {
		return inputError(err)
	}
	list, err := c.list(&config)
	if err != nil {
		return inputError(err)
	}
	p.print(diags)
	switch c.format {
	case "json":
		enc := json.NewEncoder(c.streams.Out)
		enc.SetIndent("", "  ")
		return written(enc.Encode(struct {
			Settings []viewed `json:"settings"`
		}{list}))
	case "yaml":
		return c.yaml(&config, list)
	}
	return written(c.streams.forPeople("text", func(w io.Writer) error { return viewText(w, list) }))
}

// list is every setting with its origin.
func (c *configView) list(config *nodeconfig.NodeConfig) (out []viewed, err error) {
	origins, err := c.settings.Origins()
	if err != nil {
		return nil, err
	}
	for _, s := range nodeconfig.Settings() {
		v := viewed{Name: s.Name, Flag: s.Flag, Value: jsonOf(s.Value(config)), From: "default", Default: s.Default}
		if o, there := origins[s.Name]; there && o.File == "" {
			v.From = "flag"
		} else if there {
			v.From, v.File, v.Line, v.Field = "file", o.File, o.Line, o.Path
		} else if c.settings.FromPreset(s.Name) {
			v.From, v.Preset = "preset", c.settings.Network().System.Name
		}
		out = append(out, v)
	}
	return out, nil
}

// jsonOf is a value as JSON has it: parts are an object.
func jsonOf(v any) any {
	parts, isObject := v.([]nodeconfig.Part)
	if !isObject {
		return v
	}
	object := make(map[string]any, len(parts))
	for _, p := range parts {
		object[p.Name] = p.Value
	}
	return object
}

func (c *configView) yaml(config *nodeconfig.NodeConfig, list []viewed) error {
	from := make(map[string]string, len(list))
	for _, v := range list {
		from[v.Name] = v.place()
	}
	text, err := nodeconfig.Text(config, func(s nodeconfig.Setting) string { return from[s.Name] })
	if err != nil {
		return systemError(err)
	}
	_, err = c.streams.Out.Write(text)
	return written(err)
}

// place is where a value comes from, in words.
func (v *viewed) place() string {
	switch {
	case v.From == "flag":
		return "--" + v.Flag
	case v.From == "preset":
		return "preset " + v.Preset
	case v.From == "file" && v.Line > 0:
		return fmt.Sprintf("%s:%d", v.File, v.Line)
	case v.From == "file":
		return v.File
	}
	return "default"
}

func viewText(out io.Writer, list []viewed) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SETTING\tVALUE\tFROM")
	for _, v := range list {
		value := v.Default
		if v.Value != nil {
			value = valueText(v.Value)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", v.Name, diag.Printable(value), diag.Printable(v.place()))
	}
	return w.Flush() // it keeps errors
}

func valueText(v any) string {
	switch v := v.(type) {
	case []string:
		return strings.Join(v, ", ")
	case map[string]any:
		text, _ := json.Marshal(v) // of strings, numbers and booleans
		return string(text)
	}
	return fmt.Sprint(v)
}
