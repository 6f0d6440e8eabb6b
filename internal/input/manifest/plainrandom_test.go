package manifest

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

var plainTexts = flag.Int("plain-texts", 20_000, "how many random texts TestPlainRandom makes")

// TestPlainRandom makes texts of pieces of YAML at random. What is plain is read as the library and
// kubectl's conversion read it.
func TestPlainRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	plain := 0
	for range *plainTexts {
		text := []byte(randomYAML(r))
		if comparePlain(t, text, false) {
			plain++
			compareKubectl(t, text)
		}
		comparePlain(t, text, true)
		comparePlain(t, append([]byte("- "), text...), true)
	}
	if plain*100 < *plainTexts {
		t.Errorf("only %d texts are plain", plain)
	}
	t.Logf("%d texts are plain", plain)
}

// compareKubectl wants kubectl's conversion to give the same values. Numbers are compared as it writes them.
func compareKubectl(t *testing.T, text []byte) {
	t.Helper()
	got, _ := plainJSON(text, false)
	if twice, _ := jsonProblem(got, nil); twice != nil {
		return
	}
	want, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatalf("%q\nkubectl: %v\nplain:   %s", text, err, got)
	}
	again, err := yaml.YAMLToJSON(got)
	if err != nil || string(again) != string(want) {
		t.Fatalf("%q\nkubectl: %s\nplain:   %s, %v", text, want, again, err)
	}
}

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// yamlKeys are names of fields; the first ones are plain.
func yamlKeys() []string {
	return []string{"a", "b", "kind", "a-b", "a.b/c", "x1", "A_b", "a b", "y", "NULL", "n1", "true1", "a:b", "\"q\"", "'q'", "0", "1a", "-a", "?", "? a", "<<", "_a", "~", "!!str a", "&x a", "*x", "\u00e9", "", strings.Repeat("k", 511), strings.Repeat("k", 600)}
}

// yamlValues are values of one line; the first ones are plain.
func yamlValues() []string {
	return []string{
		"", "", "", "a", "a b", "a-b/c", "1", "0", "-1", "+1", "01", "0o17", "0x1F", "0b1", "1_000", "1e3", "1E3", ".5", "5.", "1.0", "1.50", ".inf", ".NaN", "12:30", "12:30:45", "1:2", "190:20:30", "2001-12-14", "2001-12-14t21:59:43.10-05:00", "1-2-3",
		"yes", "No", "ON", "off", "y", "N", "True", "TRUE", "true", "false", "null", "Null", "~", "nan", "NaN", "inf", "Infinity", "{}", "[]", "{ }", "{a: 1}", "[1, 2]", "[", "]", "{", "}", "\"\"", "''", "\"a\"", "'a'", "\"1\"", "'true'", "\"a\\nb\"", "'a''b'", "'a\\b'", "'a\"b'", "\"a'b\"", "\"a", "'a", "\"a\" b", "\"a\" #c", "'a'#c", "\"a\": b", "'<&>'", "\"<&>\"", "<&>", "a<&>",
		"|", "|-", "|+", "|2", "|1-", ">", ">-", ">+", "| #c", "|  ", "&x a", "*x", "!!str 1", "!a b", "a #c", "a#c", "#c", "a:b", "a: b", "a:", ":a", ": a", "a :b", "- a", "-a", "-", "--", "---", "...", "a ---", "? a", "?a", "%a", "@a", "`a", ",a", "a,", "a]", "a}", "a{b}", "100m", "1k", "1Ki", "50%", "1.5Gi", "1e", "1e+", "0e", "1d", "1f", "0x", "0b", "0o", "0.5.1", "1.2.3.4", "fd00::1", "1::2", "::1", "10.0.0.0/8", "9223372036854775807", "9223372036854775808", "123456789012345678", "18446744073709551616", "1\u00a0", "a\u0085b", "a\u2028b", "\ufeff", "a\x00b", "a\x7fb", "a\xffb", "a\tb", "\ta", "a\t", "a ", "a\r", "=", "a=b", "<<", "/a", "/", "\\", "a\\b", "a\\", "1/2", "1a:", "1_2m", "1__2", "1_", "2__:3", "0.1m", "0_1", "1-1-1T", "2001-1-1 1:1:1", "2001-01-01 a", "1 2", "1 a", "1 m", "12e03", "1.e3x", "1p5", "0x1p5", "1e3m", "5e-1", "5e-1m", "1-1e", "1:2:3.5", "1:60", "1,000", "1,000m",
	}
}

// randomYAML is a few lines, most of them in a column that makes sense.
func randomYAML(r *rand.Rand) string {
	keys, values := yamlKeys(), yamlValues()
	few := keys[:7]
	some := values[:4]
	var b strings.Builder
	columns := []int{0}
	for range 1 + r.IntN(7) {
		column := columns[r.IntN(len(columns))]
		if r.IntN(12) == 0 {
			column = r.IntN(6)
		}
		b.WriteString(strings.Repeat(" ", column))
		if r.IntN(40) == 0 {
			b.WriteString("\t")
		}
		for r.IntN(3) == 0 {
			dash := pick(r, []string{"- ", "- ", "- ", "-  ", "-", "-   "})
			b.WriteString(dash)
			column += len(dash)
		}
		columns = append(columns, column, column+2, column+2)
		if len(columns) > 4 {
			columns = columns[len(columns)-4:]
		}
		list, of := keys, values
		if r.IntN(6) > 0 {
			list = few
		}
		if r.IntN(3) > 0 {
			of = some
		}
		switch r.IntN(12) {
		case 0:
			b.WriteString(pick(r, of))
		case 1:
			b.WriteString(pick(r, []string{"# c", "#", "", " ", "text", "---", "--- ", "...", "%YAML 1.1", "text # c", "  text"}))
		default:
			b.WriteString(pick(r, list) + pick(r, []string{": ", ": ", ": ", ":  ", ":", ":   ", " : "}) + pick(r, of))
		}
		if r.IntN(30) == 0 {
			b.WriteString(pick(r, []string{" ", "\t", " #c", "\r", "\r\n", "\n", "\n\n", "  # c\n"}))
		}
		if r.IntN(60) > 0 {
			b.WriteString("\n")
		}
	}
	return b.String()
}
