// Package escape writes text from elsewhere (names of objects and files,
// values of manifests) into forms that machines read: SARIF, workflow commands of
// GitHub, Markdown, JSON. In none of them can a text end its place, make a link, a
// mention or a line of its own, or move what is shown around it.
package escape
