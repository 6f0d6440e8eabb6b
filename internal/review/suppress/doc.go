// Package suppress leaves out findings that people have looked at and accepted: by an
// annotation on the object, by code, or by a file that lists those that were there when
// it was written. What is left out is counted, so that it is not forgotten.
package suppress
