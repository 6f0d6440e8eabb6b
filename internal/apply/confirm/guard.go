package confirm

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
)

// Guard is what the guarding process does.
type Guard struct {
	// Commands come from the parent, and what has become of the change goes to
	// Answers.
	Commands io.Reader
	Answers  io.Writer
	// Arm looks at what there is to go back to, and Restore goes back.
	Arm, Restore func() error
	// End has something to read when the guard itself is to end; nil is never.
	End <-chan struct{}
	// Applying bounds how long the parent may take before it says that the change is
	// applied.
	Applying time.Duration
}

// The words of both sides.
const (
	wordArmed    = "armed"
	wordApplied  = "applied"
	wordKeep     = "keep"
	wordBack     = "back"
	wordKept     = "kept"
	wordRestored = "restored"
	wordFailed   = "failed"
)

// Run guards one change, and returns what has become of it: [Kept] or [Restored].
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

// kept waits for what comes first.
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
			default: // to go back, the end of the pipe, or what no parent says
				return false
			}
		}
	}
}

// lines yields lines, and "" when there are no more, until over is closed.
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

// say tells the parent, which may be gone.
func (g *Guard) say(word string) { _, _ = fmt.Fprintln(g.Answers, word) }

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
