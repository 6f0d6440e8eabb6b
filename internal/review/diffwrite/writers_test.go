package diffwrite_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/planec/planec/internal/review/ciformat"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/internal/review/diffwrite"
	"github.com/planec/planec/ir"
)

// hostile is what an attacker may call a file to be more than text.
const hostile = "a\r\n::error::%0A,<script>alert(1)</script> </details> @admin #12 [x](http://e) `c` {0} \x1b[31m\u2028|_*.yaml"

func report() *diffreport.Report {
	o := ir.Origin{Kind: "NetworkPolicy", Namespace: "shop", Name: "db", Path: "spec", File: hostile, Line: 7}
	r := &diffreport.Report{
		Old: hostile, New: "new", Notes: []string{hostile},
		Findings: []diffreport.Finding{
			{Kind: diffreport.Added, Text: "shop/x is new"},
			{Kind: diffreport.Closed, Text: "shop/b is closed " + hostile},
			{Kind: diffreport.Opened, Text: "shop/a is open", Reasons: []diffreport.Reason{{Text: "x was added", Origin: o}, {Text: "y was removed", Origin: o, Old: true}}},
			{Kind: diffreport.Closed, Text: "names", Urgent: true},
		},
		Objects: []diffreport.Object{{Change: diffreport.ObjectChanged, Origin: o, Fields: []diffreport.Field{{Path: "spec", Old: hostile, New: "y"}}}},
		Rules:   []diffreport.Rules{{Backend: "nftables", Nodes: []string{"a", "b"}, File: "rules.nft", Added: 1, Removed: 2, Hunks: []string{" x\n+```\n-" + strings.ReplaceAll(hostile, "\n", "") + "\n"}}},
	}
	r.Sort()
	return r
}

func write(t *testing.T, format string, r *diffreport.Report) string {
	t.Helper()
	var b strings.Builder
	if err := diffwrite.Write(&b, format, r, ciformat.Places{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestOrder(t *testing.T) {
	text := write(t, "text", report())
	at := -1
	for _, s := range []string{"1 opened, 2 closed, 1 new", "shop/a is open, because x was added", "  Names\n  shop/b", "shop/x is new", "objects (1 changed)", "nftables: +2 -4 lines on 2 nodes", "note:"} {
		next := strings.Index(strings.ReplaceAll(text, "  names", "  Names"), s)
		if next <= at {
			t.Errorf("%q is not where it should be in\n%s", s, text)
		}
		at = next
	}
}

func TestTextIsPlain(t *testing.T) {
	for _, format := range []string{"text", "md", "github"} {
		for i, r := range write(t, format, report()) {
			if r != '\n' && (r < ' ' || r == 0x2028) {
				t.Errorf("%s has %U at %d", format, r, i)
			}
		}
	}
}

func TestMarkdownShowsNothingButText(t *testing.T) {
	out := write(t, "md", report())
	code := false
	for l := range strings.Lines(out) {
		if code = strings.HasPrefix(l, "    "); code {
			continue // what is indented by four is shown as it is
		}
		l = strings.NewReplacer("<details><summary>", "", "</summary>", "", "</details>\n", "\n").Replace(l)
		for _, bad := range []string{"<", "@", "#12", "](h", "http://"} {
			if strings.Contains(l, bad) && !strings.HasPrefix(l, "###") && !strings.Contains(l, `\`+bad) {
				t.Errorf("%q in %q", bad, l)
			}
		}
	}
	if strings.Count(out, "\n<details>") != strings.Count(out, "\n</details>") {
		t.Errorf("folds do not close:\n%s", out)
	}
}

func TestGitHubCommandsAreOneLine(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(write(t, "github", report()), "\n"), "\n")
	if len(lines) != 5 {
		t.Fatalf("%d commands for 4 findings and a note:\n%s", len(lines), strings.Join(lines, "\n"))
	}
	for _, l := range lines {
		if !strings.HasPrefix(l, "::warning ") && !strings.HasPrefix(l, "::notice ") {
			t.Errorf("%s", l)
		}
	}
	if !strings.HasPrefix(lines[0], "::warning file=a%0D%0A%3A%3Aerror%3A%3A%250A%2C<script>") {
		t.Errorf("%s", lines[0])
	}
}

// TestSARIF holds the parts of the schema that readers depend on (SARIF 2.1.0).
func TestSARIF(t *testing.T) {
	var log struct {
		Version string
		Schema  string `json:"$schema"`
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct {
						ID               string
						ShortDescription struct{ Text string }
					}
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(write(t, "sarif", report())), &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 || log.Runs[0].Tool.Driver.Name != "planec" || len(log.Runs[0].Results) != 4 {
		t.Fatalf("%+v", log)
	}
	rules := log.Runs[0].Tool.Driver.Rules
	for _, r := range log.Runs[0].Results {
		if r.RuleIndex >= len(rules) || rules[r.RuleIndex].ID != r.RuleID || rules[r.RuleIndex].ShortDescription.Text == "" || r.Message.Text == "" {
			t.Errorf("%+v", r)
		}
		if r.Level != "warning" && r.Level != "note" {
			t.Errorf("level %q", r.Level)
		}
	}
	first := log.Runs[0].Results[0].Locations[0].PhysicalLocation
	if first.Region.StartLine != 7 || strings.ContainsAny(first.ArtifactLocation.URI, " <>[]{}\r\n`|\"") {
		t.Errorf("%+v", first)
	}
	if second := log.Runs[0].Results[2].Message.Text; !strings.Contains(second, `\[x\](http`) || !strings.Contains(second, "{{0}}") {
		t.Errorf("%q has links or placeholders", second)
	}
}

func TestHTMLIsOneFile(t *testing.T) {
	out := write(t, "html", report())
	for _, bad := range []string{"<script", "src=", "href=", "@import", "url("} {
		if strings.Contains(out, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

// TestMuchIsFolded holds that a report of hundreds of findings fits one screen.
func TestMuchIsFolded(t *testing.T) {
	r := report()
	for i := range 300 {
		r.Findings = append(r.Findings, diffreport.Finding{Kind: diffreport.Kinds()[i%8], Text: fmt.Sprintf("finding %d", i)})
	}
	r.Sort()
	for i := range 300 {
		r.Objects = append(r.Objects, diffreport.Object{Change: diffreport.ObjectAdded, Origin: ir.Origin{Kind: "Pod", Name: fmt.Sprint(i), File: strings.Repeat("x", 500)}})
	}
	lines, inside := 0, false
	out := write(t, "md", r)
	if len(out) > 65536 {
		t.Errorf("the comment has %d bytes", len(out))
	}
	for l := range strings.Lines(out) {
		if strings.HasPrefix(l, "<details>") {
			inside = true
			lines++
		}
		if !inside {
			lines++
		}
		if strings.HasPrefix(l, "</details>") {
			inside = false
		}
	}
	if lines > 40 {
		t.Errorf("%d lines before anything is unfolded", lines)
	}
	if _, err := fmt.Sscanf(write(t, "text", r), "%d opened", new(int)); err != nil {
		t.Error(err)
	}
}

func TestJSONHasEmptyLists(t *testing.T) {
	if out := write(t, "json", &diffreport.Report{}); strings.Contains(out, "null") {
		t.Error(out)
	}
	if err := diffwrite.Write(&strings.Builder{}, "pdf", report(), ciformat.Places{}); err == nil {
		t.Error("pdf was written")
	}
}
