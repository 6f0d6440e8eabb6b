package ciformat

import (
	"fmt"
	"strings"
)

// Suite is the test cases of one file, or of one run.
type Suite struct {
	Name  string // the name of the file or of the run
	Cases []Case // in the order in which they are written
}

// Case is one test case, or one finding.
type Case struct {
	// Name identifies the case in the CI system across runs.
	Name string
	// Class is the group of the case, usually a file.
	Class string
	// File and Line are the place of the test, to which GitLab links. The Jenkins schema
	// lacks them, so only test cases have them; otherwise they are "" and 0.
	File string
	Line int // the line in File, from 1
	// Failure is the reason of a failed case; nil means passed.
	Failure *Failure
	// Out is the output of a case that passed.
	Out string
}

// Failure describes why a case failed.
type Failure struct {
	// Type is its kind, such as "PLC0711"; Message is one line, Text the whole message.
	Type, Message, Text string
}

// Cases returns findings as cases; notes do not fail. A case has the name of its rule
// and object, so that a CI system recognises it across runs.
func (r *Report) Cases() Suite {
	s := Suite{Name: r.Name}
	for i := range r.Findings {
		f := &r.Findings[i]
		c := Case{Name: f.Title, Class: r.Name}
		if f.Object != "" {
			c.Name = strings.TrimSpace(f.Rule + " " + f.Object + " " + f.Field)
		}
		text := f.text()
		if f.File != "" {
			c.Class = r.Places.of(f.File)
			text = fmt.Sprintf("%s:%d: %s", c.Class, f.Line, text)
		}
		if f.Help != "" && f.Level > Note {
			text += "\n" + f.Help
		}
		if f.Level == Note {
			c.Out = text
		} else {
			c.Failure = &Failure{f.Rule, f.Message, text}
		}
		s.Cases = append(s.Cases, c)
	}
	return s
}
