// Package browser runs tests of pages in headless Chromium. The tests are scripts for
// Node.js, which click and type through playwright-core and look for barriers with
// axe-core; both come from npm, at the versions of package-lock.json, and are
// installed the first time.
//
// A script gets launch.js and axe.js of this folder by their path, in the variable
// PLANEC_BROWSER.
package browser
