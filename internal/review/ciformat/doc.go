// Package ciformat writes findings in the forms that CI systems read: SARIF for code
// scanning, workflow commands of GitHub, JUnit's XML, and GitLab's Code Quality. There is
// one writer for each form, whatever found something: lint, diff or a network test. Every
// text in them may be hostile; see [escape].
package ciformat
