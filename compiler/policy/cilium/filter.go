package cilium

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// defaultPrefixes says which labels of pods make their identity: those with a longer
// match of a pattern than of one with an exclamation mark, and those without a match
// (pkg/labelsfilter/filter.go, defaultLabelPrefixCfg).
var defaultPrefixes = []string{
	`reserved:.*`,
	`io\.kubernetes\.pod\.namespace`,
	`io\.cilium\.k8s\.namespace\.labels`,
	`app\.kubernetes\.io`,
	`io\.cilium\.k8s\.policy\.cluster`,
	`io\.cilium\.k8s\.policy\.serviceaccount`,
	`!io\.kubernetes`,
	`!kubernetes\.io`,
	`!statefulset\.kubernetes\.io/pod-name`,
	`!apps\.kubernetes\.io/pod-index`,
	`!batch\.kubernetes\.io/job-completion-index`,
	`!batch\.kubernetes\.io/controller-uid`,
	`!.*beta\.kubernetes\.io`,
	`!k8s\.io`,
	`!pod-template-generation`,
	`!pod-template-hash`,
	`!controller-revision-hash`,
	`!controller-uid`,
	`!annotation.*`,
	`!etcd_node`,
	`!topology\.kubernetes\.io`,
}

// filter says which labels count. It is safe for concurrent use.
type filter struct {
	patterns []pattern
	// only says that no label counts but those that a pattern includes.
	only  bool
	known sync.Map // key to bool, for labels of one source
	// source is that of the labels.
	source string
}

// pattern includes or ignores labels by the start of their keys.
type pattern struct {
	source string // "" is every source
	ignore bool
	start  *regexp.Regexp
}

func newFilter(source string) *filter { return &filter{source: source} }

// add reads patterns as Cilium's options have them; user patterns that include make all
// others not count.
func (f *filter) add(patterns []string, user bool) error {
	for _, text := range patterns {
		var p pattern
		source, rest, there := strings.Cut(text, ":")
		if !there {
			source, rest = "", text
		}
		p.source = source
		if rest, p.ignore = strings.CutPrefix(rest, "!"); rest == "" {
			return fmt.Errorf("%.80q is no pattern of labels", text)
		}
		var err error
		if p.start, err = regexp.Compile(rest); err != nil {
			return fmt.Errorf("%.80q is no pattern of labels: %w", text, err)
		}
		f.patterns = append(f.patterns, p)
		f.only = f.only || user && !p.ignore
	}
	return nil
}

// counts reports whether a label with the key counts.
func (f *filter) counts(key string) bool {
	if have, known := f.known.Load(key); known {
		return have.(bool)
	}
	included, ignored := 0, 0
	for _, p := range f.patterns {
		if p.source != "" && p.source != f.source {
			continue
		}
		at := p.start.FindStringIndex(key)
		switch {
		case at == nil || at[0] != 0:
		case !p.ignore:
			included = max(included, at[1])
		case ignored == 0 || at[1] < ignored:
			ignored = at[1]
		}
	}
	out := !f.only && ignored == 0 || included > ignored
	f.known.Store(key, out)
	return out
}
