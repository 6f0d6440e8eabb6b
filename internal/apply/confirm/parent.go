package confirm

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Outcome is the outcome of a change.
type Outcome int

// The outcomes.
const (
	// Kept is a change that was confirmed in time.
	Kept Outcome = iota
	// Restored is a change that was reverted.
	Restored
	// Lost is a change that the guard does not know, or could not revert.
	Lost
)

// Change is a guarded change, as the process that makes it sees it.
type Change struct {
	commands io.WriteCloser
	answers  <-chan string
	over     chan struct{}
	patience time.Duration
}

// Watched waits until the guard is armed. An error means that there is no guard, so
// nothing may be changed. Patience bounds the waiting for later answers: without one
// the outcome is [Lost], and the parent must kill the guard before it reverts the
// change itself.
func Watched(commands io.WriteCloser, answers io.Reader, patience time.Duration) (*Change, error) {
	c := &Change{commands: commands, over: make(chan struct{}), patience: patience}
	c.answers = lines(answers, c.over)
	switch word, rest, _ := strings.Cut(<-c.answers, " "); word {
	case wordArmed:
		return c, nil
	case wordFailed:
		c.Close()
		return nil, errors.New(rest)
	}
	c.Close()
	return nil, errors.New("the process that was to guard the change ended")
}

// Close closes the pipe to the guard. A guard without a decision reverts the change.
func (c *Change) Close() {
	_ = c.commands.Close() // the guard sees the end
	select {
	case <-c.over:
	default:
		close(c.over)
	}
}

// Applied reports that the change is applied and starts the time, again at each call.
// Call it before asking for the confirmation.
func (c *Change) Applied(within time.Duration) { c.tell(fmt.Sprintf("%s %v", wordApplied, within)) }

// Decide waits for the confirmation: yes yields true to confirm and false to refuse, and
// ended is closed if neither will come. It returns the outcome, with the reason if it is
// [Lost].
func (c *Change) Decide(within time.Duration, yes <-chan bool, ended <-chan struct{}) (Outcome, error) {
	// The guard has its own timer; this one is for a stopped guard.
	late := time.NewTimer(within + min(5*time.Second, c.patience))
	defer late.Stop()
	select {
	case confirmed := <-yes:
		if confirmed {
			return c.Keep()
		}
	case <-ended:
	case <-late.C:
	case answer := <-c.answers:
		return outcome(answer)
	}
	return c.Back()
}

// Keep confirms the change.
func (c *Change) Keep() (Outcome, error) {
	c.tell(wordKeep)
	return c.answer()
}

// Back reverts the change.
func (c *Change) Back() (Outcome, error) {
	c.tell(wordBack)
	return c.answer()
}

func (c *Change) answer() (Outcome, error) {
	select {
	case answer := <-c.answers:
		return outcome(answer)
	case <-time.After(c.patience):
		return Lost, errors.New("the process that guards the change does not answer")
	}
}

// tell sends a word to the guard. A dead guard does not answer.
func (c *Change) tell(word string) { _, _ = fmt.Fprintln(c.commands, word) }

func outcome(answer string) (Outcome, error) {
	word, rest, _ := strings.Cut(answer, " ")
	switch word {
	case wordKept:
		return Kept, nil
	case wordRestored:
		return Restored, nil
	case wordFailed:
		return Lost, errors.New(rest)
	}
	return Lost, errors.New("the process that guarded the change is gone")
}
