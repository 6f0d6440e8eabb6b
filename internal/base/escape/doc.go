// Package escape writes untrusted text (names of objects and files, values of
// manifests) into machine-readable formats: SARIF, GitHub workflow commands,
// Markdown, JSON. The text cannot end its field, make a link, a mention or a new
// line, or change how the text around it is shown.
package escape
