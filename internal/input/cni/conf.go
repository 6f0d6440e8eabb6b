package cni

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/planec/planec/ir"
)

// The bounds of one CNI configuration.
const (
	maxConf    = 1 << 20 // bytes
	maxDepth   = 32      // levels of JSON
	maxPlugins = 32      // of one network
	maxWord    = 128     // bytes of a type or a name that is looked at
)

// conf is a network of the directory of CNI configurations.
type conf struct {
	file    string // without its directory
	network string // its name
	plugins []plugin
}

// plugin is one plugin of a network, as far as it tells systems apart. Fields that are
// missing or of another type are empty: a plugin that nothing is known of may use the same
// names for something else.
type plugin struct {
	kind                 string // "type"
	bridge, prefix, mode string // "bridge", "vethPrefix", "mode"
	masquerades          bool   // "ipMasq"
	// next is the network that Multus calls: a file or a name. standard is the plugin that
	// CNI-Genie calls.
	next, standard string
	// delegate is a plugin that this one calls, of which the first counts; it may be without
	// a type.
	delegate *plugin
}

// readConf reads one file. A list of plugins has the field plugins, in a .conflist; other
// files have one plugin (libcni, ConfFromFile and ConfListFromFile).
func readConf(file string, text []byte, isList bool) (conf, error) {
	switch {
	case len(text) > maxConf:
		return conf{}, errors.New("it is larger than 1 MiB")
	case !utf8.Valid(text):
		return conf{}, errors.New("it is not UTF-8")
	}
	if err := checkDepth(text); err != nil {
		return conf{}, err
	}
	var top fields
	if err := json.Unmarshal(text, &top); err != nil {
		return conf{}, fmt.Errorf("it is no JSON object: %w", err)
	}
	c := conf{file: file, network: top.text("name")}
	list := []fields{top}
	if isList {
		if err := json.Unmarshal(top["plugins"], &list); err != nil || len(list) == 0 {
			return conf{}, errors.New("it has no list plugins")
		}
	}
	if len(list) > maxPlugins {
		return conf{}, fmt.Errorf("it has more than %d plugins", maxPlugins)
	}
	for i, f := range list {
		p := f.plugin()
		if p.kind == "" {
			return conf{}, fmt.Errorf("plugin %d has no type", i)
		}
		c.plugins = append(c.plugins, p)
	}
	return c, nil
}

// checkDepth refuses texts that nest too deep or are more than one value.
func checkDepth(text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	depth := 0
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("it is no JSON: %w", err)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxDepth {
				return fmt.Errorf("it nests deeper than %d levels", maxDepth)
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

// fields are those of one JSON object.
type fields map[string]json.RawMessage

// text returns a field that is a short string, or "".
func (f fields) text(name string) (s string) {
	if json.Unmarshal(f[name], &s) != nil || len(s) > maxWord {
		return ""
	}
	return s
}

// link returns a field that is the name, or the start of the name, of an interface.
func (f fields) link(name string) string {
	if s := f.text(name); ir.ValidInterface(s) {
		return s
	}
	return ""
}

func (f fields) plugin() plugin {
	p := plugin{
		kind: f.text("type"), bridge: f.link("bridge"), prefix: f.link("vethPrefix"), mode: f.text("mode"),
		next: f.text("clusterNetwork"), standard: f.text("default_plugin"),
	}
	_ = json.Unmarshal(f["ipMasq"], &p.masquerades) // anything else is not true
	var one fields
	var several []fields
	if json.Unmarshal(f["delegate"], &one) == nil && one != nil {
		d := one.plugin()
		p.delegate = &d
	} else if json.Unmarshal(f["delegates"], &several) == nil && len(several) > 0 {
		d := several[0].network()
		p.delegate = &d
	}
	return p
}

// network is the first plugin of a delegate, which may be a network with several.
func (f fields) network() plugin {
	var list []fields
	if json.Unmarshal(f["plugins"], &list) == nil && len(list) > 0 {
		return list[0].plugin()
	}
	return f.plugin()
}
