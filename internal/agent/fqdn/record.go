package fqdn

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

// recordFile is in planec's state directory: an agent that begins again is not to close what
// policies allowed before, until clients happen to ask again.
const recordFile = "fqdn.json"

// largestRecord bounds the file that is read, in bytes.
const largestRecord = 64 << 20

// save writes the cache in one step.
func (c *cache) save(stateDir string) (err error) {
	b, err := json.Marshal(c.names)
	if err != nil {
		return fmt.Errorf("the record of DNS names: %w", err)
	}
	path := filepath.Join(stateDir, recordFile)
	err = os.WriteFile(path+".new", b, 0o600)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("the record of DNS names: %w", err)
	}
	return nil
}

// load reads what save wrote, within the bounds of a cache; none is no error.
func (c *cache) load(stateDir string, now time.Time) error {
	f, err := os.Open(filepath.Join(stateDir, recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the record of DNS names: %w", err)
	}
	defer f.Close()
	var names map[string]map[netip.Addr]time.Time
	if err := json.NewDecoder(io.LimitReader(f, largestRecord)).Decode(&names); err != nil {
		return fmt.Errorf("the record of DNS names: %w", err)
	}
	latest := now.Add(longestTTL)
	for name, list := range names {
		for a, end := range list {
			if right(name) && usable(a) && end.After(now) {
				if end.After(latest) {
					end = latest // the clock was set back
				}
				c.add(name, a, end)
			}
		}
	}
	return nil
}
