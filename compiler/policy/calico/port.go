package calico

import (
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
)

// port is a range of ports, both ends included, or the name of one.
type port struct {
	name        string
	first, last uint16
}

// isDigits reports whether a text is digits alone, and some.
func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// parsePort reads a port: 80, "80", "8000:8080" or a name (api/pkg/lib/numorstring/port.go).
// The error is what Calico says.
func parsePort(p *intstr.IntOrString) (port, error) {
	if p.Type == intstr.Int {
		return numbered(p.IntVal, p.IntVal)
	}
	first, last, isRange := strings.Cut(p.StrVal, ":")
	if !isRange {
		last = first
	}
	if !isDigits(first) || !isDigits(last) {
		return named(p.StrVal)
	}
	low, errLow := strconv.ParseInt(first, 10, 32)
	high, errHigh := strconv.ParseInt(last, 10, 32)
	if errLow != nil || errHigh != nil {
		return port{}, fmt.Errorf("port range invalid, port number must be between 1 and 65535")
	}
	return numbered(int32(low), int32(high))
}

func numbered(first, last int32) (port, error) {
	switch {
	case first < 1 || last < 1 || first > 65535 || last > 65535:
		return port{}, fmt.Errorf("port range invalid, port number must be between 1 and 65535")
	case first > last:
		return port{}, fmt.Errorf("minimum port number (%d) is greater than maximum port number (%d) in port range", first, last)
	}
	return port{first: uint16(first), last: uint16(last)}, nil
}

func named(name string) (port, error) {
	if problems := validation.IsValidPortName(name); len(problems) > 0 {
		return port{}, fmt.Errorf("invalid name for named port: %s", strings.Join(problems, "; "))
	}
	return port{name: name}, nil
}
