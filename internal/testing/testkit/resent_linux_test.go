package testkit_test

import (
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestResent shows that a lost SYN is detected, although the connection succeeds
// after TCP's retransmission one second later.
func TestResent(t *testing.T) {
	testkit.Require(t, "nft")
	r := testkit.New(t, spec(ir.LocalDetector{Mode: ir.DetectNone}))
	f := flow(eval.FromPod, "10.1.0.5", "10.1.0.6:80", ir.TCP)
	try := func() testkit.Outcome {
		outcomes, err := r.Try(t.Context(), []testkit.Flow{f}, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return outcomes[0]
	}
	if o := try(); o.Fate != testkit.Answered || o.Resent != 0 {
		t.Errorf("nothing is lost: %v, sent again %d times", o, o.Resent)
	}
	const loseOne = "table ip t {\n chain c {\n type filter hook forward priority 0;\n tcp flags syn limit rate 1/hour burst 1 packets drop\n}\n}\n"
	if err := r.LoadNFT(loseOne); err != nil {
		t.Fatal(err)
	}
	if o := try(); o.Fate != testkit.Answered || o.Resent != 1 {
		t.Errorf("one packet is lost: %v, sent again %d times", o, o.Resent)
	}
}
