// Colours of manifests and rules: a line becomes pieces of text with a class each.
// Only lines that are on the screen are read, and none that is very long.

const longest = 4000;

const yamlPiece = /(\s+)|(#.*)|("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')|([{}[\],]|-(?=\s|$)|:(?=\s|$)|[|>][+-]?$)|(---|\.\.\.)|([^\s,{}[\]"'#][^,{}[\]#:"]*(?=:(?:\s|$)))|([^\s,{}[\]]+)/y;

function yamlPieces(text) {
  const out = [];
  yamlPiece.lastIndex = 0;
  for (let m; yamlPiece.lastIndex < text.length && (m = yamlPiece.exec(text));) {
    const end = yamlPiece.lastIndex, key = m[3] && /^\s*:(\s|$)/.test(text.slice(end, end + 3));
    out.push([m[1] ? "" : m[2] ? "t-com" : m[3] ? (key ? "t-key" : "t-str") : m[4] ? "t-punct" : m[5] ? "t-word" : m[6] ? "t-key"
      : /^(true|false|null|~|[\d.:/a-fA-F]*\d[\d.:/a-fA-F]*)$/.test(m[7]) ? "t-num" : "t-str", m[0]]);
  }
  return out;
}

const rulePiece = /(\s+)|(#.*)|("(?:[^"\\]|\\.)*"?)|([{}(),;=→·])|([0-9a-f]*[:.][0-9a-f:.]*[0-9a-f](?:\/\d+)?|\d+(?:[./:-]\d+)*)(?![\w])|(--?[a-zA-Z][\w-]*|[A-Za-z_@][\w./@*-]*)|([\s\S])/y;
const ruleWords = new Set(["add", "table", "chain", "rule", "set", "map", "element", "type", "hook", "accept", "drop", "reject", "jump", "goto", "dnat", "masquerade", "return", "vmap", "allow", "deny", "create", "endpoint", "pool", "frontend", "profile", "route", "tier", "peer", "-A", "-N", "-j", "-g", "-a", "-s", "-d", "-p", "-m", "-t", "-r"]);

function rulePieces(text) {
  const out = [];
  rulePiece.lastIndex = 0;
  for (let m; rulePiece.lastIndex < text.length && (m = rulePiece.exec(text));) {
    out.push([m[2] ? "t-com" : m[3] ? "t-str" : m[4] ? "t-punct" : m[5] ? "t-num" : m[6] && ruleWords.has(m[6]) ? "t-word" : "", m[0]]);
  }
  return out;
}

// coloured is a line as an element.
function coloured(text, pieces) {
  const code = make("span", { class: "code" });
  if (text.length > longest) {
    code.textContent = text.slice(0, longest) + " …";
    return code;
  }
  for (const [kind, piece] of pieces(text)) code.append(kind ? make("span", { class: kind }, piece) : piece);
  return code;
}

// plainPieces are those of sentences: numbers, and what a rule does.
const plainPieces = (text) => rulePieces(text).map(([kind, piece]) => [kind === "t-num" || /^(allow|deny)$/.test(piece) ? kind : "", piece]);
