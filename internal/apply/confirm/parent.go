package confirm

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Outcome is what has become of a change.
type Outcome int

// The outcomes.
const (
	// Kept is a change that was confirmed in time.
	Kept Outcome = iota
	// Restored is one that was taken back.
	Restored
	// Lost is one of which the guard does not know, or could not go back.
	Lost
)

// Change is a change that a guard watches, on the side of the process that makes it.
type Change struct {
	commands io.WriteCloser
	answers  <-chan string
	over     chan struct{}
	patience time.Duration
}

// Watched waits until the guard at the other end is armed. With an error there is no
// guard, and nothing must be changed. Patience is how long to wait for an answer later:
// one that does not come is [Lost], and the guard must be killed before the parent goes
// back itself.
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

// Close ends the pipe to the guard; a guard that was told nothing goes back.
func (c *Change) Close() {
	_ = c.commands.Close() // the guard sees the end
	select {
	case <-c.over:
	default:
		close(c.over)
	}
}

// Applied says that the change is applied: the time begins, anew when it is said again.
// It is to be said before the confirmation is asked for.
func (c *Change) Applied(within time.Duration) { c.tell(fmt.Sprintf("%s %v", wordApplied, within)) }

// Decide waits for the confirmation: yes is true for one, false for a refusal, and ended
// is closed when there will be none. It returns what has become of the change, with the
// reason where that is [Lost].
func (c *Change) Decide(within time.Duration, yes <-chan bool, ended <-chan struct{}) (Outcome, error) {
	// The guard has the time too; this one is for a guard that was stopped.
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

// Back takes the change back.
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

// tell says something to the guard. One that is gone does not answer.
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
