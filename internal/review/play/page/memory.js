"use strict";
// A file system in memory, as much of Node.js's fs as Go's package os calls. It is new
// for each command: memory(files) replaces all that the last one left.
(() => {
  const S_IFDIR = 0o040000, S_IFREG = 0o100000;
  const constants = { O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 0o100, O_EXCL: 0o200, O_TRUNC: 0o1000, O_APPEND: 0o2000, O_DIRECTORY: 0o200000 };
  const firstFD = 10; // 0 to 2 are the standard streams, which commands here do not use

  let nodes, open, nextFD, nextIno, cwd;
  const fault = (code) => Object.assign(new Error(code), { code });

  // resolve is an absolute path without "." and "..": there are no links here.
  const resolve = (...parts) => {
    let at = [];
    for (const part of [cwd, ...parts]) {
      if (part.startsWith("/")) at = [];
      for (const name of part.split("/")) {
        if (name === "..") at.pop();
        else if (name !== "" && name !== ".") at.push(name);
      }
    }
    return "/" + at.join("/");
  };
  const parentOf = (path) => path.slice(0, path.lastIndexOf("/")) || "/";
  const directory = () => ({ ino: nextIno++, mode: S_IFDIR | 0o755 });
  const file = (data, size) => ({ ino: nextIno++, mode: S_IFREG | 0o644, data, size });
  const isDir = (node) => (node.mode & S_IFDIR) !== 0;

  const find = (path) => {
    const at = resolve(path), node = nodes.get(at);
    if (node) return [at, node];
    for (let up = parentOf(at); up !== "/"; up = parentOf(up)) {
      if (nodes.has(up) && !isDir(nodes.get(up))) throw fault("ENOTDIR");
    }
    throw fault("ENOENT");
  };
  const descriptor = (fd) => {
    const d = open.get(fd);
    if (!d) throw fault("EBADF");
    return d;
  };
  const makeDirs = (path) => {
    if (nodes.has(path)) return;
    makeDirs(parentOf(path));
    nodes.set(path, directory());
  };
  const children = (at) => {
    const prefix = at === "/" ? "/" : at + "/", names = [];
    for (const path of nodes.keys()) {
      if (path !== "/" && path.startsWith(prefix) && !path.includes("/", prefix.length)) names.push(path.slice(prefix.length));
    }
    return names.sort();
  };
  const resize = (node, size) => {
    if (size > node.data.length) {
      const larger = new Uint8Array(Math.max(size, 2 * node.data.length, 1024));
      larger.set(node.data.subarray(0, node.size));
      node.data = larger;
    } else {
      node.data.fill(0, size, node.size);
    }
    node.size = size;
  };
  const stat = (node) => ({
    dev: 1, ino: node.ino, mode: node.mode, nlink: 1, uid: 0, gid: 0, rdev: 0, size: isDir(node) ? 0 : node.size,
    blksize: 4096, blocks: 0, atimeMs: 0, mtimeMs: 0, ctimeMs: 0, isDirectory: () => isDir(node),
  });

  const calls = {
    open(path, flags) {
      const at = resolve(path);
      let node = nodes.get(at);
      if (node && flags & constants.O_CREAT && flags & constants.O_EXCL) throw fault("EEXIST");
      if (!node && !(flags & constants.O_CREAT)) [, node] = find(path);
      if (!node) {
        const [, parent] = find(parentOf(at));
        if (!isDir(parent)) throw fault("ENOTDIR");
        nodes.set(at, node = file(new Uint8Array(0), 0));
      }
      if (isDir(node) && flags & (constants.O_WRONLY | constants.O_RDWR)) throw fault("EISDIR");
      if (!isDir(node) && flags & constants.O_DIRECTORY) throw fault("ENOTDIR");
      if (flags & constants.O_TRUNC) resize(node, 0);
      open.set(nextFD, { node, at: 0, append: (flags & constants.O_APPEND) !== 0 });
      return nextFD++;
    },
    close(fd) { descriptor(fd); open.delete(fd); },
    read(fd, buffer, offset, length, position) {
      const d = descriptor(fd), from = position ?? d.at;
      if (isDir(d.node)) throw fault("EISDIR");
      const n = Math.max(0, Math.min(length, d.node.size - from));
      buffer.set(d.node.data.subarray(from, from + n), offset);
      if (position === null || position === undefined) d.at += n;
      return n;
    },
    write(fd, buffer, offset, length, position) {
      const d = descriptor(fd), from = d.append ? d.node.size : position ?? d.at;
      if (from + length > d.node.size) resize(d.node, from + length);
      d.node.data.set(buffer.subarray(offset, offset + length), from);
      if (position === null || position === undefined) d.at = from + length;
      return length;
    },
    fstat(fd) { return stat(descriptor(fd).node); },
    stat(path) { return stat(find(path)[1]); },
    lstat(path) { return stat(find(path)[1]); },
    readdir(path) {
      const [at, node] = find(path);
      if (!isDir(node)) throw fault("ENOTDIR");
      return children(at);
    },
    mkdir(path) {
      const at = resolve(path);
      if (nodes.has(at)) throw fault("EEXIST");
      if (!isDir(find(parentOf(at))[1])) throw fault("ENOTDIR");
      nodes.set(at, directory());
    },
    unlink(path) {
      const [at, node] = find(path);
      if (isDir(node)) throw fault("EISDIR");
      nodes.delete(at);
    },
    rmdir(path) {
      const [at, node] = find(path);
      if (!isDir(node)) throw fault("ENOTDIR");
      if (children(at).length > 0) throw fault("ENOTEMPTY");
      nodes.delete(at);
    },
    rename(from, to) {
      const [at, node] = find(from), target = resolve(to);
      find(parentOf(target));
      for (const [path, below] of isDir(node) ? [...nodes] : []) {
        if (path.startsWith(at + "/")) {
          nodes.delete(path);
          nodes.set(target + path.slice(at.length), below);
        }
      }
      nodes.delete(at);
      nodes.set(target, node);
    },
    ftruncate(fd, length) { resize(descriptor(fd).node, length); },
    truncate(path, length) { resize(find(path)[1], length); },
    readlink() { throw fault("EINVAL"); },
    fsync() {}, chmod() {}, fchmod() {}, chown() {}, fchown() {}, lchown() {}, utimes() {},
    link() { throw fault("ENOSYS"); },
    symlink() { throw fault("ENOSYS"); },
  };

  // lastWords is what Go's runtime says when it ends: nothing else writes to a stream.
  globalThis.lastWords = "";
  const writeSync = (fd, buffer) => {
    if (globalThis.lastWords.length < 1e4) globalThis.lastWords += new TextDecoder().decode(buffer);
    return buffer.length;
  };
  globalThis.fs = { constants, writeSync };
  for (const [name, call] of Object.entries(calls)) {
    globalThis.fs[name] = (...args) => {
      const callback = args.pop();
      let value, failed = null;
      try {
        value = call(...args);
      } catch (error) {
        failed = error.code ? error : fault("EIO");
      }
      // Go goes on from the bottom of the stack: it needs all of it for deep input.
      queueMicrotask(() => callback(failed, value));
    };
  }
  globalThis.path = { resolve };
  globalThis.process = {
    pid: 1, ppid: 0, getuid: () => 0, getgid: () => 0, geteuid: () => 0, getegid: () => 0, getgroups: () => [],
    umask: () => 0o022, cwd: () => cwd, chdir: (path) => { cwd = find(path)[0]; },
  };

  // deep is a working directory from which names with as many ".." as the deepest one
  // has stay apart from each other.
  const deep = (names) => {
    const ups = names.map((name) => name.split("/").filter((part) => part === "..").length);
    return "/" + Array.from({ length: Math.max(0, ...ups) + 1 }, (_, i) => "dir" + i).join("/");
  };

  // memory fills the file system with [{name, data: Uint8Array}], and returns a function
  // that lists what was written since, in the same form, by paths from the working directory.
  globalThis.memory = (files) => {
    nodes = new Map(); open = new Map(); nextFD = firstFD; nextIno = 1; cwd = "/";
    nodes.set("/", directory());
    makeDirs("/tmp");
    cwd = deep(files.map((f) => f.name));
    makeDirs(cwd);
    for (const f of files) {
      const at = resolve(f.name);
      makeDirs(parentOf(at));
      nodes.set(at, file(f.data, f.data.length));
    }
    const before = new Set(nodes.keys());
    return () => [...nodes].filter(([path, node]) => !before.has(path) && !isDir(node)).map(([path, node]) => ({
      name: path.startsWith(cwd + "/") ? path.slice(cwd.length + 1) : path, data: node.data.slice(0, node.size),
    }));
  };
  globalThis.memory([]);
})();
