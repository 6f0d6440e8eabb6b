package nftables

import "strconv"

// saveMark and restoreMark enclose the use of meta mark as a register and
// restore the packet's mark before other chains see it. If saveMark fails,
// the rule ends there, and there is nothing to restore.
const (
	saveMark    = "update @affinity-saved-marks { ct id timeout 10s : meta mark }"
	restoreMark = "meta mark set ct id map @affinity-saved-marks delete @affinity-saved-marks { ct id : meta mark }"
)

// stickRules look up the client's endpoint. meta mark holds the Service's ID
// and meta priority the endpoint's, because nft has no map whose key is another
// map's data. update refreshes a binding and keeps its data; a new binding gets
// priority 0, which is no endpoint.
func (t *table) stickRules(s step) []string {
	key, maps := s.at.keyExpr(t.family), s.at.prefix()+"affinity-"
	return []string{
		"meta priority set none",
		saveMark +
			" meta mark set " + key + " map @" + (s.at & nodePortScope).prefix() + "affinity-services" + t.foldClient +
			" " + t.updateBinding(s) +
			" meta priority set " + t.client + " map @affinity",
		key + " . meta priority != @" + maps + "endpoints jump " + s.rebindName(),
		restoreMark,
		"dnat " + t.ip + " to " + key + " . meta priority map @" + maps + "endpoints",
	}
}

// rebindRules draw an endpoint for a client without one, or whose endpoint
// left, and bind it.
func (t *table) rebindRules(s step) []string {
	return []string{
		s.at.keyExpr(t.family) + " vmap @" + s.at.prefix() + "affinity-draws",
		"ct id != @affinity-saved-marks return",
		"delete @affinity { " + t.client + " : meta priority }",
		t.updateBinding(s),
	}
}

func (t *table) updateBinding(s step) string {
	return "update @affinity { " + t.client + " timeout " + duration(s.n) + " : meta priority }"
}

func (s step) rebindName() string {
	return s.at.prefix() + rebindWord + strconv.FormatUint(uint64(s.n), 10)
}

// duration writes seconds as nft lists a time: 1d2h3m4s, without zero parts.
func duration(seconds uint32) string {
	var b []byte
	for _, unit := range []struct {
		seconds uint32
		name    byte
	}{{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}} {
		if n := seconds / unit.seconds; n > 0 {
			b = append(strconv.AppendUint(b, uint64(n), 10), unit.name)
			seconds %= unit.seconds
		}
	}
	return string(b)
}
