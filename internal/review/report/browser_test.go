package report_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// browser is a headless Chromium, driven as the W3C's WebDriver says.
type browser struct {
	t       *testing.T
	session string
}

// open starts a browser with a page, and ends it with the test. Without one
// nothing is tested, which in CI is a failure.
func open(t *testing.T, page string) *browser {
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
	b := &browser{t: t, session: "http://127.0.0.1:" + portOf(t, out) + "/session"}
	args := []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir=" + t.TempDir(), "--window-size=1500,900",
	}
	options := map[string]any{"binary": chromium, "args": args}
	var made struct{ SessionID string }
	b.call(http.MethodPost, "", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{"goog:chromeOptions": options}}}, &made)
	b.session += "/" + made.SessionID
	t.Cleanup(func() { b.call(http.MethodDelete, "", nil, nil) })
	b.call(http.MethodPost, "/url", map[string]any{"url": "file://" + filepath.ToSlash(page)}, nil)
	return b
}

// portOf reads the port that the driver chose.
func portOf(t *testing.T, out io.Reader) string {
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
func (b *browser) call(method, path string, body, value any) {
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
	client := http.Client{Timeout: 2 * time.Minute}
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

// run runs a script in the page.
func (b *browser) run(value any, script string, args ...any) {
	b.t.Helper()
	if args == nil {
		args = []any{}
	}
	b.call(http.MethodPost, "/execute/sync", map[string]any{"script": script, "args": args}, value)
}

// find returns the element that the selector means.
func (b *browser) find(selector string) string {
	b.t.Helper()
	element := map[string]string{}
	b.call(http.MethodPost, "/element", map[string]any{"using": "css selector", "value": selector}, &element)
	for _, id := range element {
		return id
	}
	b.t.Fatalf("nothing is %s", selector)
	return ""
}

func (b *browser) click(selector string) {
	b.t.Helper()
	b.call(http.MethodPost, "/element/"+b.find(selector)+"/click", map[string]any{}, nil)
}

// fill empties a field and types into it.
func (b *browser) fill(selector, text string) {
	b.t.Helper()
	at := "/element/" + b.find(selector)
	b.call(http.MethodPost, at+"/clear", map[string]any{}, nil)
	b.call(http.MethodPost, at+"/value", map[string]any{"text": text}, nil)
}

// keys types where the focus is.
func (b *browser) keys(keys ...string) {
	b.t.Helper()
	var actions []map[string]string
	for _, k := range keys {
		actions = append(actions, map[string]string{"type": "keyDown", "value": k}, map[string]string{"type": "keyUp", "value": k})
	}
	b.call(http.MethodPost, "/actions", map[string]any{"actions": []any{map[string]any{"type": "key", "id": "keyboard", "actions": actions}}}, nil)
}

// texts are those of all elements that the selector means and that are shown.
func (b *browser) texts(selector string) (all []string) {
	b.t.Helper()
	b.run(&all, `return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)`, selector)
	return all
}

func (b *browser) text(selector string) string {
	b.t.Helper()
	all := b.texts(selector)
	if len(all) != 1 {
		b.t.Fatalf("%d elements are %s", len(all), selector)
	}
	return all[0]
}

// background is the colour behind an element, as the browser draws it.
func (b *browser) background(selector string) (color string) {
	b.t.Helper()
	b.run(&color, `return getComputedStyle(document.querySelector(arguments[0])).backgroundColor`, selector)
	return color
}

// choose chooses from a list by the option's text.
func (b *browser) choose(selector, option string) {
	b.t.Helper()
	b.run(nil, `const s = document.querySelector(arguments[0]);
		s.value = [...s.options].find((o) => o.textContent === arguments[1]).value;
		s.dispatchEvent(new Event("change"));`, selector, option)
}

// The keys as WebDriver writes them.
const (
	keyEnter  = "\ue007"
	keyEscape = "\ue00c"
	keyDown   = "\ue015"
)
