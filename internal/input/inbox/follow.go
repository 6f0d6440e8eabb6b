package inbox

import "context"

// Source delivers objects until its context ends.
type Source interface {
	Run(context.Context, *Inbox) error
}

// Followed is the inbox of a source that runs.
type Followed struct {
	*Inbox
	stop  context.CancelFunc
	ended chan struct{}
	err   error
}

// Follow runs a source until [Followed.Stop], or until ctx ends.
func Follow(ctx context.Context, s Source) *Followed {
	ctx, stop := context.WithCancel(ctx)
	f := &Followed{Inbox: New(), stop: stop, ended: make(chan struct{})}
	go func() {
		defer close(f.ended)
		f.err = s.Run(ctx, f.Inbox)
	}()
	return f
}

// Ended is closed when the source has ended, after which Err says why.
func (f *Followed) Ended() <-chan struct{} { return f.ended }

// Err is what the source returned. It is for after its end.
func (f *Followed) Err() error { return f.err }

// Stop ends the source, and waits for its end.
func (f *Followed) Stop() {
	f.stop()
	<-f.ended
}
