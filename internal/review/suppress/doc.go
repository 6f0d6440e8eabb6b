// Package suppress leaves out findings that users have accepted: by an annotation on
// the object, by code, or by a file with the findings that existed when it was written.
// Suppressed findings are counted, so that they are not forgotten.
package suppress
