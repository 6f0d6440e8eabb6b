package nodelock

import (
	"fmt"
	"strconv"
	"strings"
)

// Holder is a process that holds a lock.
type Holder struct {
	// PID is its number in its own PID namespace; 0 is unknown.
	PID int
	// Foreign reports that its PID namespace is not this process's.
	Foreign bool
	// Command is its command line.
	Command string
}

// String is "PID 12, planec apply".
func (h Holder) String() string {
	if h.PID == 0 {
		return "of an unknown PID"
	}
	text := fmt.Sprintf("%d (%s)", h.PID, h.Command)
	if h.Foreign {
		text += " of another PID namespace"
	}
	return text
}

// HeldError says that another process holds a lock.
type HeldError struct {
	// What is "the agent" or "the lock".
	What   string
	Holder Holder // the process that holds it
}

// Error names the process.
func (e *HeldError) Error() string {
	return fmt.Sprintf("the planec process %v holds %s of this node", e.Holder, e.What)
}

// mostCommand bounds the stored part of a command line.
const mostCommand = 200

// note formats what a holder writes to its file: "PID NAMESPACE COMMAND".
func note(pid int, namespace uint64, args []string) []byte {
	command := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.Join(args, " "))
	return fmt.Appendf(nil, "%d %d %s\n", pid, namespace, command[:min(len(command), mostCommand)])
}

// readNote parses a note; an invalid one is an unknown holder.
func readNote(text []byte, namespace uint64) Holder {
	line, _, _ := strings.Cut(string(text), "\n")
	words := strings.SplitN(line, " ", 3)
	if len(words) < 3 {
		return Holder{}
	}
	pid, err := strconv.Atoi(words[0])
	if err != nil || pid <= 0 {
		return Holder{}
	}
	return Holder{PID: pid, Foreign: words[1] != strconv.FormatUint(namespace, 10), Command: words[2]}
}
