package kustomization

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

// loading are the fields, in lower case, from whose strings kustomize loads files,
// directories or URLs. kustomize ignores the case of field names.
var loading = map[string]bool{
	"resources": true, "components": true, "bases": true, "crds": true, "configurations": true, "generators": true,
	"transformers": true, "validators": true, "patchesstrategicmerge": true, "path": true, "paths": true, "files": true,
	"env": true, "envs": true, "valuesfile": true, "additionalvaluesfiles": true, "repo": true,
}

// inline are the fields, in lower case, that accept the configuration of a plugin
// in place of its file name.
var inline = map[string]bool{"generators": true, "transformers": true, "validators": true}

// fetched matches the start of what kustomize passes to an HTTP client or to git:
// see NewRepoSpecFromURL and IsRemoteFile in its api. kustomize clones such a name
// even if a directory with that name exists.
var fetched = regexp.MustCompile(`(?i)^(git::)*(https?:|ssh:|file:|[a-z][a-z0-9-]*@|github\.com[/:])`)

// isRemote reports whether kustomize would fetch a value, directly or as the
// source of a generator's file.
func isRemote(value string) bool {
	_, source, _ := strings.Cut(value, "=")
	for _, v := range []string{value, source} {
		if v = strings.TrimSpace(v); fetched.MatchString(v) {
			return true
		}
		if !strings.Contains(v, "\n") && (strings.Contains(v, "://") || strings.Contains(v, "?ref=")) {
			return true
		}
	}
	return false
}

// Remote returns the first field that names something that kustomize would fetch,
// and that name; "" if there is none.
func (c Content) Remote() (field, value string) {
	c.Each(func(f, v string) {
		name := strings.ToLower(f)
		switch {
		case field != "" || !loading[name]:
		case isRemote(v):
			field, value = f, v
		case inline[name] && strings.Contains(v, "\n"):
			field, value = remoteInText([]byte(v))
		}
	})
	return field, value
}

// remoteInText is [Content.Remote] for every document of a text that is YAML.
func remoteInText(text []byte) (field, value string) {
	for document := range bytes.SplitSeq(append([]byte("\n"), text...), []byte("\n---")) {
		var content any
		if yaml.Unmarshal(document, &content) != nil {
			continue // kustomize reports the error
		}
		if field, value = (Content{content}).Remote(); field != "" {
			return field, value
		}
	}
	return "", ""
}

// builtin is in the apiVersion of the configuration of every plugin that runs
// without a program.
var builtin = []byte("builtin")

// Fetches searches a file that kustomize reads for the first field with a remote
// name, and returns field and name. Only kustomizations and plugin configurations
// can load files; other files are objects and data.
func Fetches(path string, text []byte) (field, value string) {
	if !IsName(filepath.Base(path)) && !bytes.Contains(text, builtin) {
		return "", ""
	}
	return remoteInText(text)
}
