package peers

import (
	"math"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	ours, theirs := Engine{Planec, "nftables"}, Engine{KubeProxy, "nftables"}
	table := Table{
		Title:   Title{First, "first apply, CPU s", true},
		Columns: []Column{{"1,000 × 5", 1000}, {"10,000 × 5", 10000}, {"30,000 × 5", 30000}},
		Rows: []Row{
			{ours, []Value{{Number: 0.02}, {Number: 0.2}, {Number: 0.6}}},
			{theirs, []Value{{Number: 1}, {Number: 100}, {Reason: "> 300 s"}}},
			{Engine{Planec, "ebpf"}, []Value{{Reason: "failed"}, {Number: 4}, {}}},
		},
	}
	const want = `| first apply, CPU s | 1,000 × 5 | 10,000 × 5 | 30,000 × 5 | exponent |
|---|---|---|---|---|
| planec nftables | 0.0200 | 0.200 | 0.600 | 1.00 |
| kube-proxy nftables | 1.00 | 100 | > 300 s | 2.00 |
| planec ebpf | failed | 4.00 | | |
| kube-proxy nftables ÷ planec nftables | 50.0× | 500× | | |
| kube-proxy nftables ÷ planec ebpf | | 25.0× | | |
`
	var got strings.Builder
	if err := table.Markdown(&got); err != nil {
		t.Fatal(err)
	}
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestExponent(t *testing.T) {
	for _, c := range []struct {
		points []Point
		want   float64
		ok     bool
	}{
		{nil, 0, false},
		{[]Point{{10, 1}}, 0, false},
		{[]Point{{10, 1}, {10, 2}}, 0, false},
		{[]Point{{10, 3}, {100, 3}, {1000, 3}}, 0, true},
		{[]Point{{10, 1}, {100, 100}, {0, 5}, {1000, 10000}}, 2, true},
	} {
		got, ok := Exponent(c.points)
		if ok != c.ok || math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%v: got %v, %v; want %v, %v", c.points, got, ok, c.want, c.ok)
		}
	}
}

func TestDigits(t *testing.T) {
	for value, want := range map[float64]string{0.000123456: "0.000123", 0.25: "0.250", 16.84: "16.8", 999.4: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := digits(value); got != want {
			t.Errorf("%v: got %s, want %s", value, got, want)
		}
	}
}

func TestThousands(t *testing.T) {
	for whole, want := range map[string]string{"10": "10", "100": "100", "1000": "1,000", "30000": "30,000", "1234567": "1,234,567"} {
		if got := thousands(whole); got != want {
			t.Errorf("%s: got %s, want %s", whole, got, want)
		}
	}
}

func TestBetween(t *testing.T) {
	got, err := Between([]byte("a\n"+begin+"old\n"+end+"b\n"), []byte("new\n"))
	if want := "a\n" + begin + "new\n" + end + "b\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	for _, wrong := range []string{"", begin, end + begin, "a"} {
		if _, err := Between([]byte(wrong), nil); err == nil {
			t.Errorf("%q: want an error", wrong)
		}
	}
}
