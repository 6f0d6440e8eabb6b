package live

import "testing"

// TestAddEmpty wants one line, however many sets come without members.
func TestAddEmpty(t *testing.T) {
	names := []string{"plc-a", "plc-b", "plc-c", "plc-d", "plc-e"}
	for n, want := range map[int]string{
		1: "add set plc-a (0 members)", 2: "add empty sets plc-a, plc-b", 3: "add empty sets plc-a, plc-b, plc-c",
		5: "add empty sets plc-a, plc-b, plc-c and 2 more",
	} {
		if got := addEmpty(names[:n]); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}
