// Package sysctl parses the input of sysctl -p: one setting per line, for example
// "net.ipv4.ip_forward = 1".
package sysctl

import (
	"fmt"
	"strings"
)

// Read adds the settings of a text to the map, by name. An invalid line, or a
// setting outside of net, is an error that names the line.
func Read(settings map[string]string, text []byte) error {
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if len(words) != 3 || words[1] != "=" || !strings.HasPrefix(words[0], "net.") {
			return fmt.Errorf("line %d: %.100q: want %q", number, strings.TrimSpace(line), "net.name = value")
		}
		settings[words[0]] = words[2]
	}
	return nil
}
