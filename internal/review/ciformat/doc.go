// Package ciformat writes findings in the formats of CI systems: SARIF for code scanning,
// GitHub workflow commands, JUnit XML, and GitLab Code Quality. Each format has one
// writer for all sources of findings: lint, diff and network tests. All texts may be
// hostile; see [escape].
package ciformat
