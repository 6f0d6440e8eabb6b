// Package report makes one HTML page from a compilation: the objects, what must
// happen on each node, and the rules of every backend, side by side. Everything that
// belongs to a selected object is highlighted, and the page can trace a packet.
//
// The page needs no network and no other file. page/eval.js reimplements ir/eval,
// and a browser test compares the two. Everything from objects is data or text in
// the page, never markup.
//
// Lines are joined to objects by the words in them: names in comments, addresses,
// identities. A backend needs no other support than its comments.
package report
