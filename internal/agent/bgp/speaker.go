package bgp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"time"

	"github.com/planec/planec/backends/frr"
	"github.com/planec/planec/compiler/announce"
	"github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/internal/apply/frrload"
	"github.com/planec/planec/internal/input/inbox"
	"github.com/planec/planec/ir/bgp"
	"github.com/planec/planec/ir/diag"
)

// Observer sees what a speaker does.
type Observer interface {
	Announces(neighbors, routes int) // this node has neighbors, and tells them as many routes in all
	Reloaded(cause Cause)            // FRR was given what it lacked
	// Runs reports whether FRR runs what it is to run; err says why it does not.
	Runs(err error)
	Found(diag.List) // what is wrong with objects
}

// Cause is why FRR was given something.
type Cause string

// The causes.
const (
	Changed Cause = "change" // objects changed, or the agent began
	Drifted Cause = "drift"  // another program changed what FRR runs, or its file
)

// Speaker keeps one FRR right.
type Speaker struct {
	Node     string
	Settings ipam.Settings
	FRR      *frrload.FRR
	Options  frr.Options
	Source   inbox.Source
	// Every is how often FRR is compared; 0 is never.
	Every    time.Duration
	Observer Observer
	Log      *slog.Logger

	want []byte
	// loaded is what FRR ran, and running its digest then; nil is not known.
	loaded  []byte
	running [sha256.Size]byte
	// failed is how often in turn FRR could not be made right.
	failed int
}

// Times of a speaker.
const (
	// settle is how long to wait for further changes after one: endpoints come in groups.
	settle = 200 * time.Millisecond
	// firstAgain and longestAgain bound when an attempt that failed is repeated: each time twice
	// as late.
	firstAgain   = time.Second
	longestAgain = time.Minute
)

// Run works until ctx ends. FRR goes on then.
func (s *Speaker) Run(ctx context.Context) error {
	in := inbox.Follow(ctx, s.Source)
	defer in.Stop()
	known := inbox.NewWorld()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-in.Ended():
			return in.Err()
		case <-in.Wake():
			wait(ctx, settle)
			batch, complete := in.Take()
			if known.Update(&batch); !complete && s.want == nil {
				continue
			}
			s.render(known)
		case <-s.due():
		}
		if s.want == nil || ctx.Err() != nil {
			continue
		}
		err := s.attempt(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if s.failed++; err == nil {
			s.failed = 0
		}
		s.Observer.Runs(err)
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// due rings when FRR is to be looked at again.
func (s *Speaker) due() <-chan time.Time {
	switch {
	case s.failed > 0:
		return time.After(min(firstAgain<<min(s.failed-1, 10), longestAgain))
	case s.Every > 0 && s.want != nil:
		return time.After(s.Every)
	}
	return nil
}

// render makes the file of the objects.
func (s *Speaker) render(known *inbox.World) {
	set := known.Set()
	c := announce.New(set, s.Settings)
	speaker, diags := c.BGP(s.Node)
	diags = append(c.Diagnostics(), diags...)
	diags.Sort()
	s.Observer.Found(diags)
	s.Observer.Announces(count(&speaker))
	s.want = frr.Emit(&speaker, s.Options).Files[0].Data
}

func count(s *bgp.Speaker) (neighbors, routes int) {
	for _, r := range s.Routers {
		neighbors += len(r.Neighbors)
		for i := range r.Neighbors {
			routes += len(r.Neighbors[i].Routes)
		}
	}
	return neighbors, routes
}

// attempt makes FRR and its file right, and does nothing where they are.
func (s *Speaker) attempt(ctx context.Context) error {
	have, err := s.FRR.Read()
	if err != nil {
		return err
	}
	cause := Drifted
	if !bytes.Equal(s.want, s.loaded) {
		cause = Changed
	}
	if written := !bytes.Equal(have, s.want); written {
		if err := s.FRR.Write(s.want); err != nil {
			return err
		}
		s.Log.Info("wrote frr.conf", "file", s.FRR.File(), "cause", string(cause))
		if s.FRR.Reload == "" {
			s.Observer.Reloaded(cause)
		}
	}
	if s.FRR.Reload == "" {
		s.loaded = s.want
		return nil
	}
	if cause == Drifted {
		if now, err := s.FRR.Running(ctx); err == nil && now == s.running {
			return nil
		}
	}
	return s.load(ctx, cause)
}

// load gives FRR what it lacks, if it lacks anything: where it runs all of the file, no
// session is touched.
func (s *Speaker) load(ctx context.Context, cause Cause) error {
	lacks := cause == Changed && s.loaded != nil // routes are not to wait for a comparison
	if !lacks {
		left, err := s.FRR.Left(ctx)
		if err != nil {
			return err
		}
		lacks = len(left) > 0
	}
	if lacks {
		if err := s.FRR.Loaded(ctx); err != nil {
			return err
		}
		s.Observer.Reloaded(cause)
		s.Log.Info("FRR loaded frr.conf", "cause", string(cause))
	}
	now, err := s.FRR.Running(ctx)
	if err != nil {
		return errors.Join(errors.New("FRR runs frr.conf, and does not say so any more"), err)
	}
	s.loaded, s.running = s.want, now
	return nil
}
