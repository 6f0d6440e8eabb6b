package live

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// update reads "@name { CONCAT [timeout T] : field }".
func (c *compiler) update(op uint32) error {
	name := c.line.next()
	if err := c.line.expect("{"); err != nil {
		return err
	}
	key, err := c.line.concat()
	if err != nil {
		return err
	}
	s, err := c.setNamed(name, key)
	if err != nil {
		return err
	}
	var timeout time.Duration
	if c.line.accept("timeout") {
		if timeout, err = parseTimeout(c.line.next()); err != nil {
			return err
		}
	}
	if err := c.line.expect(":"); err != nil {
		return err
	}
	data, err := c.line.field()
	if err != nil {
		return err
	}
	if !s.Dynamic() || len(s.data) != 1 || s.data[0].kind != data.kind || words(key) > dataWord {
		return fmt.Errorf("%s takes no such update", name)
	}
	c.loadAll(key, 0, false)
	c.load(data, dataWord)
	c.dynset(op, s.Name, timeout)
	return c.line.expect("}")
}

// parseTimeout reads nft's times: "1d2h3m4s".
func parseTimeout(s string) (time.Duration, error) {
	var total time.Duration
	units := []struct {
		letter string
		length time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}
	rest := s
	for _, u := range units {
		n, after, ok := strings.Cut(rest, u.letter)
		if !ok {
			continue
		}
		v, err := strconv.ParseUint(n, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("time %q", s)
		}
		total += time.Duration(v) * u.length
		rest = after
	}
	if rest != "" || total == 0 {
		return 0, fmt.Errorf("time %q", s)
	}
	return total, nil
}
