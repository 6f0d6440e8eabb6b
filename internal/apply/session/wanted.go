package session

import "github.com/planec/planec/internal/apply/applier"

// Wanted returns what the kernel should have now: the artifact of [Session.Program].
func (s *Session) Wanted() (applier.Entry, error) { return s.emit(s.Program()) }
