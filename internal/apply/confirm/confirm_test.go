package confirm_test

import (
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/planec/planec/internal/apply/confirm"
)

// pair is a parent and a guard, as goroutines with pipes between them.
type pair struct {
	change *confirm.Change
	// commands and answers are the parent's ends.
	commands, answers *os.File
	end               chan struct{}
	restored          chan struct{}
	done              chan result
}

type result struct {
	outcome confirm.Outcome
	err     error
}

func newPair(t *testing.T, arm, restore error) (*pair, error) {
	t.Helper()
	commandsOut, commandsIn, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	answersOut, answersIn, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{commands: commandsIn, answers: answersOut, end: make(chan struct{}), restored: make(chan struct{}, 2), done: make(chan result, 1)}
	g := &confirm.Guard{
		Commands: commandsOut, Answers: answersIn, End: p.end, Applying: time.Hour,
		Arm:     func() error { return arm },
		Restore: func() error { p.restored <- struct{}{}; return restore },
	}
	go func() {
		o, err := g.Run()
		answersIn.Close()
		p.done <- result{o, err}
	}()
	t.Cleanup(func() { commandsIn.Close() })
	p.change, err = confirm.Watched(commandsIn, answersOut, time.Hour)
	return p, err
}

func armed(t *testing.T) *pair {
	t.Helper()
	p, err := newPair(t, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wantRestored wants the guard to have gone back n times.
func (p *pair) wantRestored(t *testing.T, n int) {
	t.Helper()
	<-p.done
	if got := len(p.restored); got != n {
		t.Errorf("the guard went back %d times, want %d", got, n)
	}
}

// TestEnds wants each way in which a change can end to be the right one, once.
func TestEnds(t *testing.T) {
	never := make(chan struct{})
	say := func(word bool) <-chan bool { c := make(chan bool, 1); c <- word; return c }
	closed := make(chan struct{})
	close(closed)
	for _, c := range []struct {
		name   string
		decide func(p *pair) (confirm.Outcome, error)
		want   confirm.Outcome
		back   int
	}{
		{"yes", func(p *pair) (confirm.Outcome, error) { return p.change.Decide(time.Hour, say(true), never) }, confirm.Kept, 0},
		{"no", func(p *pair) (confirm.Outcome, error) { return p.change.Decide(time.Hour, say(false), never) }, confirm.Restored, 1},
		{"a signal to the parent", func(p *pair) (confirm.Outcome, error) { return p.change.Decide(time.Hour, nil, closed) }, confirm.Restored, 1},
		{"the time is over", func(p *pair) (confirm.Outcome, error) {
			p.change.Applied(time.Hour)
			p.change.Applied(time.Millisecond)
			return p.change.Decide(time.Millisecond, nil, never)
		}, confirm.Restored, 1},
		{"a signal to the guard", func(p *pair) (confirm.Outcome, error) {
			close(p.end)
			return p.change.Decide(time.Hour, nil, never)
		}, confirm.Restored, 1},
		{"nothing was changed", func(p *pair) (confirm.Outcome, error) { return p.change.Keep() }, confirm.Kept, 0},
		{"the apply failed", func(p *pair) (confirm.Outcome, error) { return p.change.Back() }, confirm.Restored, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := armed(t)
			if got, err := c.decide(p); got != c.want || err != nil {
				t.Errorf("got %v, %v, want %v", got, err, c.want)
			}
			p.wantRestored(t, c.back)
		})
	}
}

// TestKilled ends the pipe as the kernel does for a parent that is killed, before and
// after it said that the change is applied, and after it was confirmed.
func TestKilled(t *testing.T) {
	for words, want := range map[string]int{"": 1, "applied 1h\n": 1, "applied": 1, "applied 1h\nke": 1, "applied 1h\nkeep\n": 0, "\x00\n": 1} {
		p := armed(t)
		if _, err := io.WriteString(p.commands, words); err != nil {
			t.Fatal(err)
		}
		p.commands.Close()
		p.wantRestored(t, want)
	}
}

// TestLate wants a confirmation that comes after the guard went back to be told so.
func TestLate(t *testing.T) {
	p := armed(t)
	if _, err := io.WriteString(p.commands, "applied 1ms\n"); err != nil {
		t.Fatal(err)
	}
	p.wantRestored(t, 1)
	if got, err := p.change.Keep(); got != confirm.Restored || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestFailures wants nothing to be changed without a guard, and a guard that cannot go
// back, or is gone, to be known.
func TestFailures(t *testing.T) {
	cause := errors.New("no\nmemory")
	if _, err := newPair(t, cause, nil); err == nil || err.Error() != "no memory" {
		t.Errorf("not armed: %v", err)
	}
	p, err := newPair(t, nil, cause)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.change.Back(); got != confirm.Lost || err == nil || err.Error() != "no memory" {
		t.Errorf("got %v, %v", got, err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
	if _, err := confirm.Watched(p.commands, out, time.Hour); err == nil {
		t.Error("a guard that ended is taken for one")
	}
}

// TestNoAnswer has a guard that was stopped after it was armed.
func TestNoAnswer(t *testing.T) {
	_, commands, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(in, "armed\n"); err != nil {
		t.Fatal(err)
	}
	c, err := confirm.Watched(commands, out, 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Decide(time.Millisecond, nil, nil); got != confirm.Lost || err == nil {
		t.Errorf("got %v, %v", got, err)
	}
}
