package nodeconfig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// schema is a JSON schema, draft 7, as far as a NodeConfig needs it.
type schema struct {
	Schema      string             `json:"$schema,omitempty"`
	Title       string             `json:"title,omitempty"`
	Type        string             `json:"type,omitempty"`
	Description string             `json:"description,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	Minimum     *int               `json:"minimum,omitempty"`
	Maximum     *int               `json:"maximum,omitempty"`
	Items       *schema            `json:"items,omitempty"`
	AnyOf       []schema           `json:"anyOf,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Properties  map[string]*schema `json:"properties,omitempty"`
	// Additional is whether other fields may be there; nil says nothing.
	Additional *bool `json:"additionalProperties,omitempty"`
}

// Schema returns the JSON schema of a NodeConfig, for editors and for other programs.
func Schema() []byte {
	s := &schema{
		Schema: "http://json-schema.org/draft-07/schema#", Title: ownKind, Type: "object",
		Description: "The settings of a node that no object of the cluster has. Every one but apiVersion and kind may be left out.",
		Required:    []string{"apiVersion", "kind"}, Additional: new(bool),
		Properties: map[string]*schema{
			"apiVersion": {Type: "string", Enum: []string{ownGroup}},
			"kind":       {Type: "string", Enum: []string{ownKind}},
			"metadata":   {Type: "object", Description: "not read"},
		},
	}
	for _, setting := range Settings() {
		s.Properties[setting.Name] = setting.schema()
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(s) // of types that can be encoded
	return b.Bytes()
}

func (s *Setting) schema() *schema {
	out := &schema{Type: s.Type, Description: s.Doc + ". Default: " + s.Default + ".", Enum: s.Words, Pattern: s.Pattern}
	switch s.Type {
	case "list":
		out.Type = ""
		out.AnyOf = []schema{{Type: "array", Items: &schema{Type: "string"}}, {Type: "string"}}
	case "integer":
		out.Minimum, out.Maximum = &s.Range[0], &s.Range[1]
	case "object":
		flag, list := &schema{Type: "boolean"}, &schema{Type: "array", Items: &schema{Type: "string"}}
		out.Additional = new(bool)
		out.Properties = map[string]*schema{
			"nonMasqueradeCIDRs": list, "masqLinkLocal": flag, "masqLinkLocalIPv6": flag, "enableIPv6": flag,
			"cidrLimit": {Type: "integer"}, "resyncInterval": {Type: "string"},
		}
	}
	return out
}

// Reference returns the page of all settings, in Markdown.
func Reference() []byte {
	var b strings.Builder
	b.WriteString(`# Settings of a node

Settings that no object of the cluster has, as a file for ` + "`--config`" + ` of both programs, or as flags, which count more than the file. This page and
[nodeconfig.schema.json](nodeconfig.schema.json), which editors read, are made from the code. ` + "`planec config view`" + ` says which settings hold and where each comes
from, ` + "`planec config validate FILE`" + ` what is wrong with a file, and ` + "`planec config migrate FILE`" + ` writes a NodeConfig from a configuration of kube-proxy.

    apiVersion: ` + ownGroup + `
    kind: ` + ownKind + `
    clusterCIDR: [10.244.0.0/16]
    serviceCIDR: [10.96.0.0/16]

| field | flag | | default | of kube-proxy's configuration |
|---|---|---|---|---|
`)
	for _, s := range Settings() {
		fmt.Fprintf(&b, "| %s | %s | %s: %s | %s | %s |\n", code(s.Name), code(s.dashed()), s.Type, s.Doc, s.Default, code(s.Proxy...))
	}
	b.WriteString(`
A list may be written as one text with commas. ` + "`masqAgent`" + ` has the fields of ip-masq-agent: ` + "`nonMasqueradeCIDRs`, `masqLinkLocal`, `masqLinkLocalIPv6`, `cidrLimit`" + `
and ` + "`resyncInterval`" + ` (not used), and ` + "`enableIPv6`" + `. A field that is not in the table is an error with its line.

**Settings are never found by themselves**, also where a NodeConfig or a KubeProxyConfiguration lies among the manifests: a note names it (PLC0642), and
only ` + "`--config`" + ` reads it. In CI the manifests come from the author of the change, and settings decide what the check of it says; with two directories,
or the two sides of ` + "`diff`" + `, there could be several; and a user who may write the manifests of a node would then decide about its addresses too.
`)
	return []byte(b.String())
}

func (s *Setting) dashed() string {
	if s.Flag == "" {
		return ""
	}
	return "--" + s.Flag
}

// code writes names as code, with commas between.
func code(names ...string) string {
	var out []string
	for _, n := range names {
		if n != "" {
			out = append(out, "`"+n+"`")
		}
	}
	return strings.Join(out, ", ")
}
