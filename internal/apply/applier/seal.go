package applier

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// sealFile has the seal of the last rules. It needs no backend's name: a seal proves what the
// rules are, not of which backend.
const sealFile = "rules.seal"

// trust hands an earlier process's seal to a dataplane, for the first apply only.
func (a *Applier) trust(backend string) {
	s, ok := a.dataplanes[backend].(Sealer)
	if !ok || a.trusted {
		return
	}
	a.trusted = true
	if seal, err := readFile(filepath.Join(a.record.dir, sealFile), maxSeal); err == nil {
		s.Trust(seal)
	}
}

// Seal writes the seal of the rules of an entry, which the kernel has, for the process after
// this one. Without a seal, that reads everything: so errors are not reported.
func (a *Applier) Seal(e Entry) {
	s, ok := a.dataplanes[e.Backend].(Sealer)
	if !ok {
		return
	}
	seal, err := s.Seal(e.Artifact)
	if err == nil && seal != nil {
		err = a.record.writeSeal(seal)
	}
	if err != nil || seal == nil {
		_ = a.record.remove(sealFile)
	}
}

// writeSeal replaces the seal. It need not outlive the machine, because rules do not: so
// nothing is synced.
func (r *Record) writeSeal(seal []byte) error {
	next := filepath.Join(r.dir, sealFile+".next")
	// What a killed process has left there, or what is no file and would wait, goes.
	err := os.Remove(next)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = os.WriteFile(next, seal, 0o600)
	}
	if err == nil {
		err = os.Rename(next, filepath.Join(r.dir, sealFile))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		_ = os.Remove(next)
	}
	return err
}
