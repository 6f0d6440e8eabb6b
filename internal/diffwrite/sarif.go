package diffwrite

import (
	"io"

	"github.com/planec/planec/internal/diffreport"
	"github.com/planec/planec/internal/escape"
)

// The part of SARIF 2.1.0 that is needed (OASIS, sarif-v2.1.0).
type sarifLog struct {
	Version string     `json:"version"`
	Schema  string     `json:"$schema"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool    sarifTool     `json:"tool"`
	Results []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name  string      `json:"name"`
	Rules []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string    `json:"id"`
	ShortDescription sarifText `json:"shortDescription"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	RuleIndex int             `json:"ruleIndex"`
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations,omitempty"`
}

type sarifLocation struct {
	PhysicalLocation sarifPhysical `json:"physicalLocation"`
}

type sarifPhysical struct {
	ArtifactLocation sarifArtifact `json:"artifactLocation"`
	Region           *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine int `json:"startLine"`
}

func sarif(w io.Writer, r *diffreport.Report) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "planec"}}, Results: []sarifResult{}}
	index := make(map[diffreport.Kind]int)
	for i, k := range diffreport.Kinds() {
		index[k] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{"network-" + string(k), sarifText{meanings()[k]}})
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		level := "note"
		if annotation(f.Kind) == "warning" {
			level = "warning"
		}
		result := sarifResult{
			RuleID: "network-" + string(f.Kind), RuleIndex: index[f.Kind], Level: level,
			Message: sarifText{escape.SARIF(f.Sentence())},
		}
		if o, ok := located(f); ok {
			l := sarifLocation{sarifPhysical{ArtifactLocation: sarifArtifact{escape.FileURI(o.File)}}}
			if o.Line > 0 {
				l.PhysicalLocation.Region = &sarifRegion{o.Line}
			}
			result.Locations = append(result.Locations, l)
		}
		run.Results = append(run.Results, result)
	}
	return escape.JSON(w, sarifLog{
		Version: "2.1.0", Schema: "https://json.schemastore.org/sarif-2.1.0.json", Runs: []sarifRun{run},
	})
}

func meanings() map[diffreport.Kind]string {
	return map[diffreport.Kind]string{
		diffreport.Opened:    "Something can be reached that could not be before",
		diffreport.Closed:    "Something can no longer be reached",
		diffreport.Source:    "Endpoints see another source address than before",
		diffreport.Refusal:   "What cannot be reached answers in another way",
		diffreport.Endpoints: "A Service has other endpoints than before",
		diffreport.Affinity:  "Clients stay with their endpoint for another time",
		diffreport.Added:     "A workload or Service is new",
		diffreport.Removed:   "A workload is gone",
	}
}
