package cli

import (
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/planec/planec/ir/diag"
)

const (
	// quietFor is how long a command may take until it says what it is at.
	quietFor = time.Second
	// redrawn is how often that is drawn again.
	redrawn = 200 * time.Millisecond
)

// progress is one line on the terminal that standard error is: what a command that takes
// longer than a second is at. Every phase ends with end, which takes the line away, before
// anything else is written. A nil progress says nothing. It is safe for concurrent use.
type progress struct {
	out   io.Writer
	width int // columns
	now   func() time.Time
	// timed reports that a timer draws too, since one step may be long.
	timed bool

	mu           sync.Mutex
	began, drawn time.Time
	text         string // what is being done; "" is nothing to say
	// shown and waits report that the line is on the screen, and that a timer runs.
	shown, waits, muted bool
}

// newProgress returns nil where standard error is no terminal.
func newProgress(s *Streams) *progress {
	if s.ErrWidth <= 0 {
		return nil
	}
	p := &progress{out: s.Err, width: s.ErrWidth, now: s.Now, timed: s.Now == nil}
	if p.timed {
		p.now = time.Now
	}
	p.began = p.now()
	return p
}

// step says what is being done.
func (p *progress) step(format string, args ...any) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = fmt.Sprintf(format, args...) + " …"
	p.draw()
	if p.timed && !p.waits {
		p.waits = true
		time.AfterFunc(redrawn, p.tick)
	}
}

// mute is for --quiet: nothing is said from now on.
func (p *progress) mute() {
	if p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.muted = true
	}
}

// count returns a function that says how many of something were done, each time that it is
// called.
func (p *progress) count(format string, all int) func() {
	var mu sync.Mutex
	done := 0
	return func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		p.step(format, thousands(done), thousands(all))
	}
}

// end takes the line away until the next step.
func (p *progress) end() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.text = ""; p.shown {
		p.shown = false
		io.WriteString(p.out, eraseLine) // a terminal that is gone needs no progress
	}
}

func (p *progress) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waits = p.text != ""; p.waits {
		p.draw()
		time.AfterFunc(redrawn, p.tick)
	}
}

// eraseLine moves to the first column and erases the line.
const eraseLine = "\r\x1b[K"

// draw draws the line if it is time to; the lock is held.
func (p *progress) draw() {
	now := p.now()
	if p.text == "" || p.muted || now.Sub(p.began) < quietFor || now.Sub(p.drawn) < redrawn {
		return
	}
	p.drawn, p.shown = now, true
	io.WriteString(p.out, eraseLine+cut(diag.Printable(p.text), p.width-1)) // as in end
}

// cut shortens a text to a number of letters.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	letters := []rune(s)
	return string(letters[:max(most-1, 0)]) + "…"
}

// thousands formats 12000 as "12,000".
func thousands(n int) string {
	s := strconv.Itoa(n)
	for at := len(s) - 3; at > 0 && s[at-1] != '-'; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}
