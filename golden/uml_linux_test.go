package golden

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/internal/testing/uml"
)

// TestMain also serves User Mode Linux: inside, this binary is the init process.
func TestMain(m *testing.M) {
	uml.Init()
	os.Exit(finish(m.Run()))
}

// rowsFile passes results from the tests inside to the outside.
const rowsFile = "rows.json"

// TestUserModeLinux runs the kernel tests of this package for IPVS, in the only
// kernel with IPVS that can be counted on.
func TestUserModeLinux(t *testing.T) {
	if uml.Inside() {
		t.Skip("this is the inside")
	}
	besideOthers(t)
	uml.Require(t, testkit.IPVS().Tools...)
	cases, err := filepath.Abs(*casesDir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	r, err := uml.Run(ctx, uml.Config{Modules: testkit.IPVSModules(), Args: []string{
		"-test.run=^(TestKernelFlows|TestGeneratedClusters|TestLeaveRows)$", "-test.v", "-test.parallel=3", "-cases=" + cases,
		fmt.Sprintf("-clusters=%d", *clusters), fmt.Sprintf("-packets=%d", *packets), fmt.Sprintf("-seed=%d", *seed),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != 0 {
		t.Fatalf("exit status %d:\n%s", r.Code, r.Output)
	}
	var rows []string
	if err := json.Unmarshal(r.Files[rowsFile], &rows); err != nil || len(rows) != 2 {
		t.Fatalf("nothing says that both tests ran: %v %v\n%s", rows, err, r.Output)
	}
	table.Lock()
	defer table.Unlock()
	table.rows = append(table.rows, rows...)
	t.Logf("User Mode Linux ready in %v, tests took %v: %v", r.Ready.Round(time.Millisecond), r.Took.Round(time.Millisecond), rows)
}

// TestLeaveRows runs last inside: it passes the results to the outside.
func TestLeaveRows(t *testing.T) {
	if !uml.Inside() {
		t.Skip("TestUserModeLinux runs it")
	}
	b, err := json.Marshal(table.rows)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(uml.OutDir, rowsFile), b, 0o600); err != nil {
		t.Fatal(err)
	}
}
