// Package smallpage has what the small pages of trace and matrix have in common: they load
// nothing and have no scripts.
package smallpage

// Head starts a page; a title, the end of the head and the body follow.
const Head = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
:root { color-scheme: light dark; --good: #12703d; --bad: #b3261e; --line: #8886; }
@media (prefers-color-scheme: dark) { :root { --good: #63d196; --bad: #ff8a80; } }
body { font: 14px/1.5 system-ui, sans-serif; margin: 1.5rem; background: Canvas; color: CanvasText; }
table { border-collapse: collapse; } th, td { border: 1px solid var(--line); padding: .15rem .4rem; text-align: center; }
thead th { writing-mode: vertical-rl; text-align: left; } tbody th { text-align: left; font-weight: normal; }
table.list th, table.list td { writing-mode: horizontal-tb; text-align: left; vertical-align: top; }
.allowed, .dnat, .pass { color: var(--good); } .blocked, .drop, .reject { color: var(--bad); }
small { opacity: .85; } li { margin: .2rem 0; }
.scroll { overflow-x: auto; }
</style>`
