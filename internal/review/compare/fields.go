package compare

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/planec/planec/internal/review/diffreport"
)

// compareValues lists the innermost fields that differ. It compares lists item by
// item if they have the same length; otherwise it names added and removed items.
func compareValues(path string, a, b any, out []diffreport.Field) []diffreport.Field {
	if reflect.DeepEqual(a, b) {
		return out
	}
	am, aIsMap := a.(map[string]any)
	bm, bIsMap := b.(map[string]any)
	if aIsMap && bIsMap {
		for _, key := range keysOf(am, bm) {
			out = compareValues(fieldPath(path, key), am[key], bm[key], out)
		}
		return out
	}
	al, aIsList := a.([]any)
	bl, bIsList := b.([]any)
	if aIsList && bIsList {
		return compareLists(path, al, bl, out)
	}
	return append(out, diffreport.Field{Path: path, Old: valueText(a), New: valueText(b)})
}

func compareLists(path string, a, b []any, out []diffreport.Field) []diffreport.Field {
	if len(a) == len(b) {
		for i := range a {
			out = compareValues(fmt.Sprintf("%s[%d]", path, i), a[i], b[i], out)
		}
		return out
	}
	used := make([]bool, len(b))
	for i, x := range a {
		at := slices.IndexFunc(b, func(y any) bool { return reflect.DeepEqual(x, y) })
		for at >= 0 && used[at] {
			next := slices.IndexFunc(b[at+1:], func(y any) bool { return reflect.DeepEqual(x, y) })
			if next < 0 {
				at = -1
				break
			}
			at += next + 1
		}
		if at < 0 {
			out = append(out, diffreport.Field{Path: fmt.Sprintf("%s[%d]", path, i), Old: valueText(x)})
			continue
		}
		used[at] = true
	}
	for i, y := range b {
		if !used[i] {
			out = append(out, diffreport.Field{Path: fmt.Sprintf("%s[%d]", path, i), New: valueText(y)})
		}
	}
	return out
}

func keysOf(a, b map[string]any) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

func fieldPath(path, key string) string {
	switch {
	case path == "":
		return key
	case strings.ContainsAny(key, "./[]"):
		return fmt.Sprintf("%s[%q]", path, key)
	}
	return path + "." + key
}

// valueText formats a value on one line, shortened if long; nil is "".
func valueText(v any) string {
	const longest = 100
	if v == nil {
		return ""
	}
	if s, ok := v.(string); ok && s != "" {
		return clip(s, longest)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return clip(string(data), longest)
}

func clip(s string, longest int) string {
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "..."
	}
	return s
}
