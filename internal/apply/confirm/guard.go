package confirm

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
)

// Guard is the configuration of the guarding process.
type Guard struct {
	// Commands come from the parent. Answers go to it: armed, and the outcome of
	// the change.
	Commands io.Reader // the pipe from the parent
	Answers  io.Writer // the pipe to the parent
	// Arm reads the state to restore, and Restore restores it.
	Arm, Restore func() error
	// End becomes readable when the guard itself must end; nil is never.
	End <-chan struct{}
	// Applying bounds the time until the parent must report that the change is
	// applied.
	Applying time.Duration
}

// The words of the protocol.
const (
	wordArmed    = "armed"
	wordApplied  = "applied"
	wordKeep     = "keep"
	wordBack     = "back"
	wordKept     = "kept"
	wordRestored = "restored"
	wordFailed   = "failed"
)

// Run guards one change and returns its outcome: [Kept] or [Restored].
func (g *Guard) Run() (Outcome, error) {
	if err := g.Arm(); err != nil {
		g.say(wordFailed + " " + oneLine(err))
		return Kept, fmt.Errorf("nothing was changed: %w", err)
	}
	g.say(wordArmed)
	if g.kept() {
		g.say(wordKept)
		return Kept, nil
	}
	if err := g.Restore(); err != nil {
		g.say(wordFailed + " " + oneLine(err))
		return Lost, err
	}
	g.say(wordRestored)
	return Restored, nil
}

// kept waits for the first event.
func (g *Guard) kept() bool {
	timer := time.NewTimer(g.Applying)
	defer timer.Stop()
	over := make(chan struct{})
	defer close(over)
	commands := lines(g.Commands, over)
	for {
		select {
		case <-timer.C:
			return false
		case <-g.End:
			return false
		case line := <-commands:
			verb, rest, _ := strings.Cut(line, " ")
			d, err := time.ParseDuration(rest)
			switch {
			case verb == wordApplied && err == nil:
				timer.Reset(d)
			case verb == wordKeep:
				return true
			default: // a revert, a closed pipe, or an unknown word
				return false
			}
		}
	}
}

// lines yields lines, and "" at the end, until over is closed.
func lines(r io.Reader, over <-chan struct{}) <-chan string {
	c := make(chan string)
	go func() {
		in := bufio.NewScanner(r)
		for {
			line := ""
			if in.Scan() {
				line = in.Text()
			}
			select {
			case c <- line:
			case <-over:
				return
			}
		}
	}()
	return c
}

// say writes to the parent, which may be dead.
func (g *Guard) say(word string) { _, _ = fmt.Fprintln(g.Answers, word) }

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
