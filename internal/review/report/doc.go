// Package report makes one HTML page from a compilation: the manifests, what must
// happen on each node in words, and the rules of every backend, side by side. Everything
// that belongs to a selected object is highlighted; a map says who can reach whom; and the
// page answers questions about connections.
//
// [Document] makes the page's data, and page/ shows it: show(document) in page/main.js
// draws all there is. [Write] embeds one document. A page whose engine, window.planec,
// makes documents of edited manifests is the same page: [Shell] writes it.
//
// The page needs no network and no other file. page/eval.js reimplements ir/eval for
// pages without an engine, and a browser test compares the two. Everything from objects
// is data or text in the page, never markup.
//
// Lines are joined to objects by the words in them: names in comments, addresses,
// identities. A backend needs no other support than its comments.
package report
