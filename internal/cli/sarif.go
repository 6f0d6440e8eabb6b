package cli

import (
	"slices"

	"github.com/planec/planec/internal/escape"
	"github.com/planec/planec/ir/diag"
)

// The types below are the part of SARIF 2.1.0 (OASIS) that code scanners read.
type (
	sarif struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
		Help             sarifText `json:"help"`
		Configuration    struct {
			Level string `json:"level"`
		} `json:"defaultConfiguration"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region *sarifRegion `json:"region,omitempty"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
	}
)

var sarifLevels = map[diag.Severity]string{diag.Error: "error", diag.Warning: "warning", diag.Info: "note"}

// sarifLog has the rules that were broken and where.
func sarifLog(diags diag.List) sarif {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "planec", Rules: []sarifRule{}}}, Results: []sarifResult{}}
	var codes []diag.Code
	for _, d := range diags {
		codes = append(codes, d.Code)
		run.Results = append(run.Results, sarifResult{
			RuleID: string(d.Code), Level: sarifLevels[d.Severity()], Message: sarifText{escape.SARIF(subject(d))}, Locations: sarifLocations(d),
		})
	}
	slices.Sort(codes)
	for _, c := range slices.Compact(codes) {
		info := c.Info()
		rule := sarifRule{ID: string(c), ShortDescription: sarifText{info.Title}, Help: sarifText{info.Hint}}
		rule.Configuration.Level = sarifLevels[info.Severity]
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
	}
	return sarif{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}
}

func sarifLocations(d diag.Diagnostic) []sarifLocation {
	var at sarifLocation
	if d.Origin.File != "" && d.Origin.File != stdinName {
		at.Physical = &sarifPhysical{}
		at.Physical.Artifact.URI = escape.FileURI(d.Origin.File)
		if d.Origin.Line > 0 {
			at.Physical.Region = &sarifRegion{d.Origin.Line}
		}
	}
	if o := d.Origin.Object(); o != "" {
		at.Logical = []sarifLogical{{diag.Printable(o)}}
	}
	if at.Physical == nil && at.Logical == nil {
		return []sarifLocation{}
	}
	return []sarifLocation{at}
}
