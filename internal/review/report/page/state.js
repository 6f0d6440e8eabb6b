// What is chosen on the page, and the link that says so. Names, not numbers: a link
// outlives a change of the input.

const state = { node: "", backend: "", file: "", manifest: "", view: "code", raw: false, changes: true, pinned: [], from: "", to: "", port: "", protocol: "tcp" };

const linked = { node: "", backend: "", file: "", manifest: "", view: "code", from: "", to: "", port: "", protocol: "tcp" };

// link is the fragment for what is chosen; edited is the compressed text of manifests
// that were edited.
function link(edited) {
  const q = new URLSearchParams();
  for (const [k, usual] of Object.entries(linked)) if (state[k] && state[k] !== usual) q.set(k, state[k]);
  for (const key of state.pinned) q.append("object", key);
  if (edited) q.set("edit", edited);
  const text = q.toString().replaceAll("%2F", "/").replaceAll("%3A", ":");
  return text ? "#" + text : "";
}

// keepLink puts the link into the address bar, and no entry into the history.
let kept = null;
function keepLink() {
  const now = link(editedPart());
  if (now === kept) return;
  kept = now;
  try {
    history.replaceState(null, "", location.pathname + location.search + now);
  } catch { /* some browsers refuse for files: the button still copies the link */ }
}

// readLink takes over what a fragment says.
function readLink() {
  const q = new URLSearchParams(location.hash.slice(1));
  for (const k of Object.keys(linked)) state[k] = q.get(k) ?? linked[k];
  state.pinned = q.getAll("object");
  kept = location.hash;
  return q.get("edit");
}

// packed and unpacked make text small enough for a link.
async function packed(text) {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let raw = "";
  for (let i = 0; i < bytes.length; i += 8192) raw += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(raw).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

async function unpacked(text) {
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(raw, (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
}
