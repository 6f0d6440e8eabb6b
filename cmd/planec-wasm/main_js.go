// Command planec-wasm is the command line of planec in a web page: `planec play` serves
// it. The page gives it files in memory (globalThis.fs) and calls
//
//	planecRun(args: string[], done: ({code: number, stdout: Uint8Array, stderr: Uint8Array}) => void)
//
// once for each command line, the next one after done. Between two calls it keeps what texts
// of objects were decoded to, and nothing else.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall/js"
	"time"

	"github.com/planec/planec/internal/base/buildinfo"
	"github.com/planec/planec/internal/cli"
	"github.com/planec/planec/internal/input/manifest"
)

const (
	// gcPercent is GOGC, and ballast, in bytes, what it is a percentage of at least: a
	// command on a page's manifests ends before it has made garbage worth collecting.
	gcPercent = 400
	ballast   = 16 << 20
	// tidyEvery is how many commands make less garbage than gcPercent allows, with room.
	tidyEvery = 8
	// softLimit is where collecting starts anyway, in bytes: a page's memory ends at
	// 4 GiB.
	softLimit = 1 << 30
	// maxOutput bounds what a command may print, in bytes.
	maxOutput = 256 << 20
	// exitSystem is the exit code of a failure of the system, as in internal/cli.
	exitSystem = 3
)

func main() {
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(softLimit)
	weight := make([]byte, ballast)
	decoded, runs := manifest.NewMemo(), 0
	js.Global().Set("planecVersion", buildinfo.Version())
	js.Global().Set("planecRun", js.FuncOf(func(_ js.Value, args []js.Value) any {
		line, done := words(args[0]), args[1]
		// The call must return before the file system can answer.
		go func() {
			done.Invoke(run(line, decoded).value())
			tidy(&runs)
		}()
		return nil
	}))
	<-make(chan struct{}) // the page calls from now on
	runtime.KeepAlive(weight)
}

// tidy collects garbage now and then, when the answer is on its way and no key waits: a
// collection while a key is compiled would be felt.
func tidy(runs *int) {
	if *runs++; *runs%tidyEvery == 0 {
		time.Sleep(time.Millisecond) // lets the answer go first
		runtime.GC()
	}
}

// words converts an array of strings.
func words(list js.Value) []string {
	out := make([]string, list.Length())
	for i := range out {
		out[i] = list.Index(i).String()
	}
	return out
}

// result is what a command line left.
type result struct {
	code        int
	stdout, err limited
}

// run runs one command line. A panic ends that command only. Panics of other goroutines
// end the program, and the page starts another one.
func run(args []string, decoded *manifest.Memo) (r *result) {
	r = &result{}
	defer func() {
		if p := recover(); p != nil {
			r.code = exitSystem
			fmt.Fprintf(&r.err.b, "planec: this is a fault of planec, please report it: %v\n%s", p, debug.Stack())
		}
	}()
	r.code = cli.Run(args, cli.Streams{In: strings.NewReader(""), Out: &r.stdout, Err: &r.err, Decoded: decoded})
	return r
}

func (r *result) value() map[string]any {
	return map[string]any{"code": r.code, "stdout": r.stdout.value(), "stderr": r.err.value()}
}

// limited keeps what is written, up to maxOutput bytes.
type limited struct{ b bytes.Buffer }

var errTooLong = errors.New("the output is too long for a page")

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	if l.b.Len()+len(p) > maxOutput {
		return 0, errTooLong
	}
	return l.b.Write(p)
}

func (l *limited) value() js.Value {
	array := js.Global().Get("Uint8Array").New(l.b.Len())
	js.CopyBytesToJS(array, l.b.Bytes())
	return array
}
