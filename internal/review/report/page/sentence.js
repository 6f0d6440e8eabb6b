// An answer about a connection as a sentence. answer: {verdict, endpoints, denied,
// masquerade, steps: [{node, stage, text, origin}], unknown}, as `planec trace -o json`.

const arrives = (a) => a.verdict === "dnat" || a.verdict === "pass";

// whoIs is the name of an address, or of an address with a port.
function whoIs(endpoint) {
  const e = endpointOf(endpoint), name = e.address && doc.names.get(e.address.text);
  return name ? `${name} (${endpoint})` : endpoint;
}

function listed(all) {
  const most = 5, names = all.slice(0, most);
  if (all.length > most) return `${names.join(", ")} and ${all.length - most} more`;
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} or ${names[names.length - 1]}` : names[0];
}

const policed = (s) => s.stage === "egress" || s.stage === "ingress";
const denies = (s) => policed(s) && s.text.includes(": denied");

const ruleOf = (o) => `${o.kind} ${o.namespace ? o.namespace + "/" : ""}${o.name}${placeIn(o)}`;
const placeIn = (o) => o.file ? ` (${o.file}${o.line ? ":" + o.line : ""})` : "";

// allowedBy names the rules that let a connection through.
function allowedBy(a) {
  const rules = [];
  for (const s of a.steps) {
    if (policed(s) && !denies(s) && s.origin && s.origin.kind && !rules.includes(ruleOf(s.origin))) rules.push(ruleOf(s.origin));
  }
  if (!rules.length) return "no policy limits it";
  const [first, second] = rules;
  return "allowed by " + (rules.length > 2 ? `${first} and ${rules.length - 1} other rules` : second ? `${first} and ${second}` : first);
}

// refusedBy says why a connection does not arrive.
function refusedBy(a) {
  const s = a.steps.find(denies);
  if (s) {
    const [way, why] = s.text.split(": denied");
    const whose = s.origin && s.origin.kind ? ruleOf(s.origin) : "a policy";
    if (why.includes("isolated by")) return `${whose} isolates ${way.split(/ (?:from|to) /)[0].replace(/ \(.*\)$/, "")} for ${s.stage}, and no rule allows this`;
    return `${whose} denies it`;
  }
  const last = a.steps[a.steps.length - 1];
  return last ? last.text.replace(/: (dropped|rejected)$/, "") + (last.origin && last.origin.file ? placeIn(last.origin) : "") : "";
}

// undecided says which nodes would decide, and what is known without them.
function undecided(a) {
  const scheduled = a.unknown.filter(Boolean), said = [];
  if (scheduled.length) said.push(`the rules of ${listed(scheduled)} decide, and this page does not have them (--all-nodes)`);
  if (scheduled.length < a.unknown.length) said.push("a pod is on no node yet, and this page does not have the rules that it will meet there");
  if (a.endpoints.length) said.push(`it can get to ${listed(a.endpoints.map(whoIs))}`);
  if (a.denied.length) said.push(`a policy keeps it from ${listed(a.denied.map(whoIs))}`);
  return said.join("; ");
}

// sentence returns the pieces of the answer: words before, the verdict, words after.
function sentence(q, a) {
  const asked = `${q.from} → ${q.to}${q.to.includes(":") && !q.to.includes("/") ? " port " : ":"}${q.port}/${q.protocol} `;
  if (a.verdict === "unknown") return [asked, "is not answered", `: ${undecided(a)}.`];
  if (!arrives(a)) return [asked, a.verdict === "reject" ? "is rejected" : "is dropped", `: ${refusedBy(a)}.`];
  let after = "";
  if (a.endpoints.length > 1) after = ` at one of ${a.endpoints.length}: ${listed(a.endpoints.map(whoIs))}`;
  else if (a.endpoints.length) after = ` at ${whoIs(a.endpoints[0])}`;
  after += `; ${allowedBy(a)}`;
  if (a.masquerade) after += "; the receiver sees the node's address as the source";
  if (a.denied && a.denied.length) after += `; a policy keeps it from ${listed(a.denied.map(whoIs))}`;
  return [asked, "arrives", after + "."];
}
