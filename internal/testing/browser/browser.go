// Package browser drives a headless Chromium, as the W3C's WebDriver says: tests of pages
// run in a real browser.
package browser

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"
)

// Browser is a browser with one page.
type Browser struct {
	t       testing.TB
	session string
}

// Open starts a browser with the page of a URL, and ends it with the test. Where there is
// no browser the test is skipped, which in CI is a failure.
func Open(t testing.TB, url string) *Browser {
	t.Helper()
	driver, err := exec.LookPath("chromedriver")
	chromium, err2 := exec.LookPath("chromium")
	if err != nil || err2 != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI=true, but there is no browser: %v, %v", err, err2)
		}
		t.Skip("SKIPPED, NOTHING WAS TESTED: chromium and chromedriver are not here")
	}
	cmd := exec.Command(driver, "--port=0")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	b := &Browser{t: t, session: "http://127.0.0.1:" + portOf(t, out) + "/session"}
	args := []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir=" + t.TempDir(), "--window-size=1500,900",
	}
	capabilities := map[string]any{
		"goog:chromeOptions": map[string]any{"binary": chromium, "args": args},
		"goog:loggingPrefs":  map[string]any{"browser": "ALL"},
		"timeouts":           map[string]any{"script": scriptTime.Milliseconds()},
	}
	var made struct{ SessionID string }
	b.call(http.MethodPost, "", map[string]any{"capabilities": map[string]any{"alwaysMatch": capabilities}}, &made)
	b.session += "/" + made.SessionID
	t.Cleanup(func() { b.call(http.MethodDelete, "", nil, nil) })
	b.call(http.MethodPost, "/url", map[string]any{"url": url}, nil)
	return b
}

const (
	// scriptTime bounds one script, and answerTime one command of the driver.
	scriptTime = time.Minute
	answerTime = 2 * scriptTime
)

// portOf reads the port that the driver chose.
func portOf(t testing.TB, out io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(out)
	port := regexp.MustCompile(`started successfully on port (\d+)`)
	for lines.Scan() {
		if m := port.FindStringSubmatch(lines.Text()); m != nil {
			go func() {
				_, _ = io.Copy(io.Discard, out) // what it says besides
			}()
			return m[1]
		}
	}
	t.Fatalf("chromedriver did not start: %v", lines.Err())
	return ""
}

// call sends a command and reads its value.
func (b *Browser) call(method, path string, body, value any) {
	b.t.Helper()
	var text []byte
	if method == http.MethodPost {
		var err error
		if text, err = json.Marshal(body); err != nil {
			b.t.Fatal(err)
		}
	}
	request, err := http.NewRequest(method, b.session+path, bytes.NewReader(text))
	if err != nil {
		b.t.Fatal(err)
	}
	client := http.Client{Timeout: answerTime}
	response, err := client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	answer := struct{ Value json.RawMessage }{}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		b.t.Fatalf("%s: %v: %.600s", path, err, answer.Value)
	}
	if value != nil {
		if err := json.Unmarshal(answer.Value, value); err != nil {
			b.t.Fatalf("%s: %v: %.600s", path, err, answer.Value)
		}
	}
}

// Run runs the body of an async function in the page, with arguments, and reads what it
// returns into the value, which may be nil.
func (b *Browser) Run(value any, script string, args ...any) {
	b.t.Helper()
	if args == nil {
		args = []any{}
	}
	b.call(http.MethodPost, "/execute/sync", map[string]any{"script": "return (async (...arguments) => {" + script + "})(...arguments)", "args": args}, value)
}

// Console returns what the page and the browser wrote to the console since the last call:
// errors of scripts, and what the page's policy refused.
func (b *Browser) Console() (lines []string) {
	b.t.Helper()
	var entries []struct{ Level, Message string }
	b.call(http.MethodPost, "/se/log", map[string]any{"type": "browser"}, &entries)
	for _, e := range entries {
		lines = append(lines, e.Level+": "+e.Message)
	}
	return lines
}
