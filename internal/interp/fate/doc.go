// Package fate follows a packet for every outcome of random draws, and joins the
// results. The interpreters share it; it does not depend on a rule language.
package fate
