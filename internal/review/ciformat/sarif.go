package ciformat

import (
	"io"

	"github.com/planec/planec/internal/base/escape"
	"github.com/planec/planec/ir/diag"
)

// The types below are the part of SARIF 2.1.0 (OASIS) that code scanners read.
type (
	sarifLog struct {
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
		ID            string             `json:"id"`
		Short         sarifText          `json:"shortDescription"`
		Help          *sarifText         `json:"help,omitempty"`
		Configuration sarifConfiguration `json:"defaultConfiguration"`
	}
	sarifConfiguration struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
	}
)

// SARIF writes a log with one run. Every result has a location with a file, because
// GitHub otherwise rejects the whole upload (github/codeql-action, issue 1738).
func SARIF(w io.Writer, r *Report) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "planec", Rules: []sarifRule{}}}, Results: []sarifResult{}}
	index := make(map[string]int, len(r.Rules))
	for i, rule := range r.Rules {
		index[rule.ID] = i
		s := sarifRule{ID: rule.ID, Short: sarifText{rule.Title}, Configuration: sarifConfiguration{rule.Level.word()}}
		if rule.Help != "" {
			s.Help = &sarifText{rule.Help}
		}
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, s)
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		at, known := index[f.Rule]
		if !known {
			at = -1 // SARIF's value for a missing index (3.27.6)
		}
		run.Results = append(run.Results, sarifResult{
			RuleID: f.Rule, RuleIndex: at, Level: f.Level.word(),
			Message: sarifText{escape.SARIF(f.Message)}, Locations: []sarifLocation{r.location(f)},
		})
	}
	return escape.JSON(w, sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

func (r *Report) location(f *Finding) (l sarifLocation) {
	l.Physical.Artifact.URI = escape.FileURI(r.Places.of(f.File))
	if f.File != "" && f.Line > 0 {
		l.Physical.Region = &sarifRegion{f.Line}
	}
	if f.Object != "" {
		l.Logical = []sarifLogical{{diag.Printable(f.Object)}}
	}
	return l
}
