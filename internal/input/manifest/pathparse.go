package manifest

import (
	"strconv"
	"strings"
)

// pathStep is one step of a field path: into a field or to an item.
type pathStep struct {
	name    string
	index   int
	isIndex bool
}

// parsePath parses "spec.ports[0].nodePort" and `metadata.labels["a.b/c"]`;
// nil means an invalid path.
func parsePath(path string) []pathStep {
	var steps []pathStep
	for path != "" {
		switch path[0] {
		case '.':
			path = path[1:]
		case '[':
			end := strings.IndexByte(path, ']')
			if quoted, err := strconv.QuotedPrefix(path[1:]); err == nil {
				end = len(quoted) + 1
			}
			if end < 0 || end >= len(path) || path[end] != ']' {
				return nil
			}
			steps = append(steps, bracketStep(path[1:end]))
			path = path[end+1:]
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			steps = append(steps, pathStep{name: path[:end]})
			path = path[end:]
		}
	}
	return steps
}

func bracketStep(inside string) pathStep {
	if i, err := strconv.Atoi(inside); err == nil && i >= 0 {
		return pathStep{index: i, isIndex: true}
	}
	if name, err := strconv.Unquote(inside); err == nil {
		return pathStep{name: name}
	}
	return pathStep{name: inside}
}
