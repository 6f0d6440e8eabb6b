package cli

import (
	"fmt"
	"strconv"
	"strings"
)

// shard returns every n-th of the nodes, from the i-th on, for "i/n"; "" is all of
// them. Counting starts at 0, like the index of pods in a Kubernetes Job.
func shard(nodes []string, s string) ([]string, error) {
	if s == "" {
		return nodes, nil
	}
	first, count, ok := strings.Cut(s, "/")
	i, err := strconv.Atoi(first)
	n, err2 := strconv.Atoi(count)
	if !ok || err != nil || err2 != nil || n < 1 || i < 0 || i >= n {
		return nil, inputError(fmt.Errorf("--shard %q: want i/n, with i from 0 to n-1", s))
	}
	var out []string
	for ; i < len(nodes); i += n {
		out = append(out, nodes[i])
	}
	return out, nil
}
