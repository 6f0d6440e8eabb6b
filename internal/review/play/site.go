package play

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"path"

	"github.com/planec/planec/internal/review/report"
)

// Input is what a playground starts with.
type Input struct {
	Report   report.Input // the first document of the page
	Files    []File       // the manifests
	Settings string       // the text of a node's settings; may be empty
	// SettingsName is the file that findings about the settings name.
	SettingsName string
	Node         string   // the node that the page shows first; "" is any
	Flags        []string // further flags of commands about manifests, as "--name=value"
	Version      string   // the version of the program that makes the page
	Program      Program
}

// File is a manifest.
type File struct {
	Name string `json:"name"` // as the command line names it, with slashes
	Text string `json:"text"`
}

// Asset is a file of a playground.
type Asset struct {
	Name string // a base name
	Type string // its media type
	Data []byte
}

//go:embed page/*.js
var scripts embed.FS

// policy lets the page run the compiler and load what is beside it, and nothing else.
const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; " +
	"worker-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"

// engine is the markup that makes window.planec.
const engine = `<script src="input.js"></script>
<script src="play.js"></script>
`

// Assets returns the files of a playground, which all lie in one directory.
func Assets(in Input) ([]Asset, error) {
	document, err := report.Document(in.Report)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	shell := report.Shell{Data: document, Policy: policy, Engine: []byte(engine)}
	if err := shell.Write(&page); err != nil {
		return nil, err
	}
	start, err := json.Marshal(startOf(in))
	if err != nil {
		return nil, fmt.Errorf("the input of the playground: %w", err)
	}
	all := []Asset{
		{"index.html", "text/html; charset=utf-8", page.Bytes()},
		{"input.js", typeJS, fmt.Appendf(nil, "globalThis.planecInput = %s;\n", start)},
		{wasmName, "application/gzip", in.Program.Wasm},
		{execName, typeJS, in.Program.Exec},
	}
	for _, name := range []string{"play.js", "worker.js", "memory.js"} {
		text, err := scripts.ReadFile(path.Join("page", name))
		if err != nil {
			return nil, err
		}
		all = append(all, Asset{name, typeJS, text})
	}
	return all, nil
}

const typeJS = "text/javascript; charset=utf-8"

// start is what page/play.js begins with.
type start struct {
	Files    []File   `json:"files"`
	Settings string   `json:"settings"`
	Name     string   `json:"settingsName"`
	Node     string   `json:"node"`
	Flags    []string `json:"flags"`
	Version  string   `json:"version"`
}

func startOf(in Input) start {
	files := make([]File, 0, len(in.Files)) // the page reads lists, not null
	for _, f := range in.Files {
		// A folder is published, and planec does not read Secrets.
		files = append(files, File{f.Name, string(report.WithoutSecrets([]byte(f.Text)))})
	}
	return start{files, in.Settings, cmp.Or(in.SettingsName, "settings.yaml"), in.Node, append([]string{}, in.Flags...), in.Version}
}
