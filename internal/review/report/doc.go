// Package report makes one HTML page of a compilation: the objects, what must
// happen on each node, and the rules of every backend, side by side. What belongs
// to an object is marked everywhere, and a packet can be traced in the page.
//
// The page needs no network and no other file. page/eval.js is ir/eval once more;
// the browser test compares the two. Everything that comes from objects is data in
// the page and text on it, never markup.
//
// Lines are joined to objects by the words in them: names in comments, addresses,
// identities. So a backend needs nothing for it but what it writes for people.
package report
