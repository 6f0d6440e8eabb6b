package layer2

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"time"

	announced "github.com/planec/planec/compiler/announce/layer2"
	"github.com/planec/planec/internal/input/inbox"
	"github.com/planec/planec/ir/diag"
)

// Speaker answers for addresses on this node.
type Speaker struct {
	Node     string
	Duration time.Duration // of a node's Lease, see [Elector]
	Leases   *Leases
	Source   inbox.Source
	Observer Observer
	Log      *slog.Logger

	elector *Elector
	// links are the interfaces that answer, by name.
	links map[string]*responder
	held  []netip.Addr
	// again are the addresses that are announced again, and how often.
	again map[netip.Addr]int
	// failing is the error that was said last.
	failing string
}

// Observer sees what a speaker does; calls of Answered come from several goroutines.
type Observer interface {
	Announced(held, candidates int) // addresses that this node answers for, and might answer for
	Took(netip.Addr)                // this node begins to answer
	Answered(link string)           // one answer
	Found(diag.List)                // what is wrong with objects
}

// announceTimes is how often an address is announced after it was taken, once in each step: a
// frame may get lost.
const announceTimes = 5

// Run answers until ctx ends, in the network namespace of the process.
func (s *Speaker) Run(ctx context.Context) error {
	s.elector = &Elector{Node: s.Node, Store: s.Leases, Duration: s.Duration, Now: time.Now}
	s.links, s.again = make(map[string]*responder), make(map[netip.Addr]int)
	defer s.end()
	inner, stop := context.WithCancel(ctx)
	defer stop()
	in := inbox.Follow(inner, s.Source)
	defer in.Stop()
	go s.Leases.Run(inner)
	known := inbox.NewWorld()
	var all []announced.Announced
	listed := false
	// Steps are frequent, and ask nothing of the API server unless something is due.
	ticker := time.NewTicker(s.Duration / 20)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-in.Ended():
			return in.Err()
		case <-in.Wake():
			batch, complete := in.Take()
			known.Update(&batch)
			if listed = listed || complete; listed {
				var diags diag.List
				all, diags = announced.Lower(known.Set())
				s.Observer.Found(diags)
			}
		case <-ticker.C:
		}
		if listed && s.Leases.Listed() {
			s.step(ctx, all)
		}
	}
}

// step takes and gives back addresses, and announces those that were taken.
func (s *Speaker) step(ctx context.Context, all []announced.Announced) {
	var wants []Want
	for _, a := range all {
		if slices.Contains(a.Candidates, s.Node) {
			wants = append(wants, Want{a.Address, a.Candidates})
		}
	}
	held, err := s.elector.Step(ctx, wants)
	s.say(err)
	s.say(s.listen(all, held))
	for _, a := range held {
		if !slices.Contains(s.held, a) {
			s.Log.Info("this node answers for an address", "address", a)
			s.Observer.Took(a)
			s.again[a] = announceTimes
		}
	}
	for _, a := range s.held {
		if !slices.Contains(held, a) {
			s.Log.Info("this node answers for an address no more", "address", a)
			delete(s.again, a)
		}
	}
	s.held = held
	s.Observer.Announced(len(held), len(wants))
	for a, n := range s.again {
		for _, r := range s.links {
			if r.answers(a) {
				s.say(r.announce(a))
			}
		}
		if s.again[a] = n - 1; n <= 1 {
			delete(s.again, a)
		}
	}
}

// say logs an error that is another one than before.
func (s *Speaker) say(err error) {
	if err == nil || errors.Is(err, context.Canceled) || err.Error() == s.failing {
		return
	}
	s.failing = err.Error()
	s.Log.Error("announcing on layer 2", "error", err)
}

// listen makes the interfaces answer that an address is announced on, and no others.
func (s *Speaker) listen(all []announced.Announced, held []netip.Addr) error {
	byLink := make(map[string][]netip.Addr)
	interfaces, err := net.Interfaces()
	if err != nil {
		return err
	}
	usable := make(map[string]net.Interface)
	for _, l := range interfaces {
		if l.Flags&net.FlagLoopback == 0 && l.Flags&net.FlagUp != 0 && len(l.HardwareAddr) == 6 {
			usable[l.Name] = l
		}
	}
	for _, a := range all {
		if !slices.Contains(held, a.Address) {
			continue
		}
		for name := range usable {
			if a.On(s.Node, name) {
				byLink[name] = append(byLink[name], a.Address)
			}
		}
	}
	var errs []error
	for name, r := range s.links {
		if l, there := usable[name]; !there || l.Index != r.link.Index || l.HardwareAddr.String() != r.link.HardwareAddr.String() || len(byLink[name]) == 0 {
			r.close()
			delete(s.links, name)
		}
	}
	for name, addresses := range byLink {
		r := s.links[name]
		if r == nil {
			if r, err = newResponder(usable[name], s.elector.Holds, s.Observer.Answered); err != nil {
				errs = append(errs, err)
				continue
			}
			s.links[name] = r
		}
		errs = append(errs, r.listen(addresses))
	}
	return errors.Join(errs...)
}

// end stops answering and gives all claims back, so that others need not wait.
func (s *Speaker) end() {
	ctx, cancel := context.WithTimeout(context.Background(), s.Duration)
	defer cancel()
	s.say(s.elector.Stop(ctx))
	for _, r := range s.links {
		r.close()
	}
}
