"use strict";
// window.planec: the compiler for the page's own scripts. It runs in a worker, so that
// typing never waits for it.
//
//   files, settings   what is there at the start: [{name, text}], and a node's settings
//   flags             further flags of every command about manifests
//   version           of the program that made this page
//   ready             → Promise<string>: the compiler's version; rejected where it cannot run
//   compile({files, settings, backend}) → Promise<document>, as `planec report --format json`;
//                                      with a backend it has the rules of this one alone
//   run(args, files, settings)       → Promise<{code, stdout, stderr, written}>
(() => {
  const input = globalThis.planecInput;
  delete globalThis.planecInput;
  const patience = 3000; // ms that a superseded compilation may go on
  const warmRuns = 50, warmPause = 20, warmIdle = 300; // ms between them, and before the first

  let worker, module, current, queue = [], nextID = 1;
  let isReady, isFailed;
  const ready = new Promise((resolve, reject) => { isReady = resolve; isFailed = reject; });
  ready.catch(() => {}); // each call says it again

  // load compiles the program once; each worker gets the same module.
  const load = async () => {
    if (!globalThis.DecompressionStream || !globalThis.WebAssembly) throw new Error("this browser is too old for the compiler");
    const response = await fetch("planec.wasm.gz");
    if (!response.ok) throw new Error(`planec.wasm.gz: ${response.status} ${response.statusText}`);
    // Servers that know .gz may have it decompressed already.
    const [one, two] = response.body.tee(), reader = one.getReader();
    const { value } = await reader.read();
    reader.cancel();
    const zipped = value && value[0] === 0x1f && value[1] === 0x8b;
    const bytes = zipped ? two.pipeThrough(new DecompressionStream("gzip")) : two;
    return WebAssembly.compileStreaming(new Response(bytes, { headers: { "Content-Type": "application/wasm" } }));
  };

  const begin = () => {
    const w = worker = new Worker("worker.js");
    worker.onmessage = ({ data }) => {
      if (w !== worker) return;
      if (data.ready) isReady(data.version);
      else if (data.failed) fail(new Error(data.failed));
      else if (data.died) died(data.died);
      else answer(data);
    };
    worker.onerror = (event) => { event.preventDefault(); died(event.message || "the worker cannot be loaded"); };
    worker.postMessage({ module });
  };
  const fail = (error) => {
    isFailed(error);
    for (const job of [current, ...queue]) job?.reject(error);
    current = undefined; queue = [];
  };
  // died ends the job at hand, and a new worker goes on with the others.
  const died = (why) => {
    worker.terminate();
    const job = current;
    current = undefined;
    // Browsers give a worker less stack than a process has.
    const deep = /call stack|too much recursion/i.test(why);
    const said = deep ? "the input is nested too deeply to be read in this browser" : "the compiler ended unexpectedly: " + why;
    job?.resolve({ code: deep ? 2 : 3, stdout: "", stderr: `planec: ${said}\n`, written: [] });
    begin();
    next();
  };
  const answer = (result) => {
    if (!current || current.id !== result.id) return;
    const job = current;
    current = undefined;
    job.resolve(result);
    next();
  };
  const next = () => {
    if (current || !worker || queue.length === 0) return;
    current = queue.shift();
    current.since = performance.now();
    worker.postMessage({ id: current.id, args: current.args, files: current.files });
  };
  const ask = (args, files, slot) => new Promise((resolve, reject) => {
    const at = slot ? queue.findIndex((job) => job.slot === slot) : -1;
    const job = { id: nextID++, args, files, slot, resolve, reject };
    if (at >= 0) {
      const old = queue[at];
      queue[at] = { ...job, resolve: (v) => { old.resolve(v); resolve(v); }, reject: (e) => { old.reject(e); reject(e); } };
    } else {
      queue.push(job);
    }
    if (slot && current && current.slot === slot) giveUp(current);
    next();
  });
  // giveUp lets a compilation that a later one supersedes go on for a while only.
  const giveUp = (job) => {
    setTimeout(() => { if (current === job) died("it was superseded"); }, Math.max(0, patience - (performance.now() - job.since)));
  };

  // withSettings names the files of a command, and the flags that lead to them.
  const withSettings = (files, settings) => {
    const given = files.map((f) => ({ name: f.name, text: f.text }));
    if (!settings || !settings.trim()) return [given, []];
    let name = input.settingsName;
    while (files.some((f) => f.name === name)) name = "settings-of-" + name;
    return [[...given, { name, text: settings }], ["--config=" + name]];
  };
  const paths = (files) => files.map((f) => "--filename=" + quoted(f.name === "-" ? "./-" : f.name));
  // quoted is a name as an item of a list with commas.
  const quoted = (name) => /[,"\n]/.test(name) ? '"' + name.replaceAll('"', '""') + '"' : name;

  let latest; // the last document that a compilation gave
  const compile = async ({ files, settings, backend }) => {
    const [all, flags] = withSettings(files, settings);
    const args = ["report", "--format=json", "--output=-", "--all-nodes", ...(input.node ? ["--node=" + input.node] : []), ...(backend ? ["--backend=" + backend] : []), ...paths(files), ...flags, ...input.flags];
    clearTimeout(warmTimer);
    const result = await ask(args, all, "compile");
    result.document ??= read(result);
    if (result.code === 0) warmLater(args, all, warmIdle);
    return result.document;
  };
  // warm compiles the latest files again while nothing else is asked, each time with a change in
  // one of them: a browser optimizes what has run often, so the next change waits for less.
  // It begins when nothing was typed for a while, since a change waits for a run that has begun.
  let warmLeft = warmRuns, warmTimer;
  const warmLater = (args, files, pause) => {
    clearTimeout(warmTimer);
    if (warmLeft > 0) warmTimer = setTimeout(() => warm(args, files), pause);
  };
  const warm = async (args, files) => {
    if (current || queue.length > 0) return; // the answer to that begins again
    const k = warmLeft-- % files.length;
    const changed = files.map((f, i) => i === k ? { ...f, text: `${f.text}\n# ${warmLeft}\n` } : f);
    const { code } = await ask(args, changed, "warm").catch(() => ({ code: -1 })); // without a compiler
    if (code === 0) warmLater(args, files, warmPause);
  };
  // read makes a document of an answer. One that has nothing to show keeps what the last
  // one showed, with what is wrong now.
  const read = ({ code, stdout, stderr }) => {
    let got;
    try { got = JSON.parse(stdout); } catch { /* it did not get as far as writing */ }
    if (got && code === 0) return latest = got;
    const diagnostics = (got?.diagnostics ?? []).map(({ objects, ...d }) => d);
    if (!diagnostics.some((d) => d.severity === "error")) diagnostics.push({ severity: "error", code: "", file: "", line: 0, message: lastLine(stderr), hint: "" });
    return { ...(latest ?? got ?? nothing), diagnostics };
  };
  const nothing = { headline: "planec", counts: [], changed: false, findings: [], objects: [], files: [], places: {}, nodes: [] };
  const lastLine = (text) => text.trimEnd().split("\n").filter((l) => l.startsWith("planec: ")).pop()?.slice("planec: ".length) ?? text.trim();

  const run = async (args, files, settings) => {
    const [all, flags] = withSettings(files, settings);
    const named = args.some((a) => a === "-f" || a.startsWith("--filename")) || ofOthers.includes(args[0]) || args[0] === "diff";
    const more = ofOthers.includes(args[0]) ? [] : [...flags, ...input.flags];
    const { code, stdout, stderr, written } = await ask([...args, ...(named ? [] : paths(files)), ...more], all);
    return { code, stdout, stderr, written };
  };
  // ofOthers are the commands that read no manifests, or name them in a file.
  const ofOthers = ["explain", "version", "help", "completion", "test"];

  let broken;
  load().then((m) => { module = m; begin(); next(); }, (error) => { broken = error; fail(error); });
  const checked = (call) => async (...args) => { if (broken) throw broken; return call(...args); };
  globalThis.planec = { ...input, ready, compile: checked(compile), run: checked(run) };
})();
