"use strict";
// The worker of a playground: it holds the compiler and runs one command line at a time.
// {module} starts it; {id, args, files: [{name, text}]} is a command line, answered with
// {id, code, stdout, stderr, written} or, when the program ended, {id, died}.
importScripts("memory.js", "wasm_exec.js");

let running = 0;
let ready;

const died = (error) => postMessage({ id: running, died: error + (globalThis.lastWords ? ": " + globalThis.lastWords : "") });

const start = async (module) => {
  const go = new Go();
  go.exit = () => {};
  const instance = await WebAssembly.instantiate(module, go.importObject);
  go.run(instance).then(() => died("it ended"), died);
  // run returns at the first wait of main, which is behind what it sets.
};

const command = async ({ id, args, files }) => {
  const encoder = new TextEncoder(), decoder = new TextDecoder();
  running = id;
  try {
    const written = memory(files.map((f) => ({ name: f.name, data: encoder.encode(f.text) })));
    const r = await new Promise((resolve) => planecRun(args, resolve));
    postMessage({ id, code: r.code, stdout: decoder.decode(r.stdout), stderr: decoder.decode(r.stderr), written: written() });
  } catch (error) {
    died(error);
  }
  running = 0;
};

// An error that Go's own callbacks throw, such as the end of the stack.
self.onerror = (message) => {
  died(message);
  return true;
};

onmessage = async ({ data }) => {
  if (data.module) {
    ready = start(data.module);
    ready.then(() => postMessage({ ready: true, version: globalThis.planecVersion }), (error) => postMessage({ failed: String(error) }));
    return;
  }
  await ready;
  await command(data);
};
