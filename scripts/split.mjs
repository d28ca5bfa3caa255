// Splits the page's wasm in two: what the first seconds need, and the rest, which is fetched while the page already
// runs. All that a visitor waits for is the first part.
//
//   node scripts/split.mjs DIST             splits DIST in place (Trunk's hook after a release build)
//   node scripts/split.mjs DIST --record    plays the opening page in Chromium and writes scripts/first.txt
//
// How: the functions that scripts/first.txt does not name move to a second module. In the first one a stub stands in
// the place of each that is called from there, which calls it through the table; while its entry is still empty, it
// first has the import `missing` (static/boot.js) called, which loads the second module at once. So a stale list makes
// the page slower, not wrong. Both share memory, table and globals. Functions of few bytes stay where they are.

import { createHash } from "node:crypto";
import { execFileSync, spawn } from "node:child_process";
import { createServer } from "node:http";
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const LIST = join(dirname(fileURLToPath(import.meta.url)), "first.txt");
// A scenario as a link: people come by links too, and reading one must not wait for the second part.
const SHARED = "1zhhN69Yb0515.rVJBjtswDLzrFUTOsdZ2WvSwUIH2C-29oGQmESyLrkTDze9Lx4u0WfRYAyYgcTQzGiqhh85IlERw-AJ1wpQgpKUKFUCBlct4MOh5ETh8vxYi8IVHKvUInAkCZymcEpUjIAjPMcAa5Qpyx85YlDtyrlt7LjwsYSPOgy4vhZcZ-AyysoWvhXCEyhPJNeaLPZhKNMAnY_5oQOjMLg--s9afdg4bs4pgsoU8JsyB7EAJb3aqrjW7qcSYfxT6uVAVKDSnGLA63x19f_Sn13s9-u71XnUTppiVt95ysA94bx5XWMlvxuoybYtuN-I2lWbLTAPa06juSXnrub6dKuAibPl8riQqoNURlhQV9Bdv_195TRWdx2b9XRwo5D6-VBjpVt2H1ujgu7YC0K-ZgkCs5enASwtOBwCakj8ZePvewKohBE-GHXwT9IneQwMvWQDDmHlNNFx03J-hb_8NS6xOHai5tOJNzenzaxLhQKWZ9aeZw_XRzNwEnqYoQkNTKHAZmo3B_AY";
const SMALL = 48; // bytes of a body that is not worth a stub
const ONE_BYTE = 100; // functions whose numbers take one byte, imports apart
const TYPE = 1, IMPORT = 2, FUNCTION = 3, TABLE = 4, MEMORY = 5, GLOBAL = 6, EXPORT = 7, START = 8, ELEMENT = 9, CODE = 10;

// ---- reading and writing ----

class Reader {
  constructor(bytes, at = 0) { this.bytes = bytes; this.at = at; }
  byte() { return this.bytes[this.at++]; }
  u() { let r = 0, s = 1, b; do { b = this.byte(); r += (b & 127) * s; s *= 128; } while (b & 128); return r; }
  skipLeb() { while (this.byte() & 128); }
  take(n) { const out = this.bytes.subarray(this.at, this.at + n); this.at += n; return out; }
  name() { return Buffer.from(this.take(this.u())).toString(); }
}
const u = (n) => { const out = []; do { const b = n % 128; n = Math.floor(n / 128); out.push(n ? b | 128 : b); } while (n); return out; };
const s = (n) => { const out = []; for (;;) { const b = n & 127; n >>= 7; if ((n === 0 && !(b & 64)) || (n === -1 && b & 64)) { out.push(b); return out; } out.push(b | 128); } };
const text = (t) => { const b = Buffer.from(t); return [...u(b.length), ...b]; };
const vec = (items) => Buffer.concat([Buffer.from(u(items.length)), ...items.map((i) => Buffer.from(i))]);
const section = (id, body) => Buffer.concat([Buffer.from([id, ...u(body.length)]), body]);

/** The module's sections in order, and what the split needs of them. */
function parse(bytes) {
  const m = { sections: [], types: [], imports: [], functions: [], bodies: [], names: new Map(), exports: [], tables: [], globals: [] };
  const r = new Reader(bytes, 8);
  while (r.at < bytes.length) {
    const id = r.byte(), size = r.u(), body = r.take(size);
    m.sections.push({ id, body });
    const b = new Reader(body);
    if (id === TYPE) each(b, () => m.types.push(functionType(b)));
    else if (id === IMPORT) each(b, () => m.imports.push(readImport(b)));
    else if (id === FUNCTION) each(b, () => m.functions.push(b.u()));
    else if (id === TABLE) each(b, () => m.tables.push(readTable(b)));
    else if (id === GLOBAL) each(b, () => m.globals.push(readGlobal(b)));
    else if (id === EXPORT) each(b, () => m.exports.push({ name: b.name(), kind: b.byte(), index: b.u() }));
    else if (id === CODE) each(b, () => m.bodies.push(b.take(b.u())));
    else if (id === 0 && b.name() === "name") readNames(b, m.names);
  }
  m.imported = m.imports.filter((i) => i.kind === 0).length;
  return m;
}
const each = (r, read) => { for (let n = r.u(); n > 0; n--) read(); };
/** A table; its upper limit, if it has one, is left out of both modules. */
function readTable(b) {
  const type = b.byte(), flags = b.byte(), min = b.u();
  if (flags & 1) b.u();
  return { type, min };
}
function functionType(b) {
  if (b.byte() !== 0x60) throw new Error("a type that is no function's");
  const list = () => { const out = []; each(b, () => out.push(b.byte())); return out; };
  return { params: list(), results: list() };
}
function readImport(b) {
  const module = b.name(), name = b.name(), kind = b.byte();
  if (kind !== 0) throw new Error(`an import that is no function: ${module}.${name}`);
  return { module, name, kind, type: b.u() };
}
function readGlobal(b) {
  const type = b.byte(), mutable = b.byte();
  constant(b);
  return { type, mutable };
}
/** Reads over what a global or an offset begins with. */
function constant(b) {
  for (let op = b.byte(); op !== 0x0b; op = b.byte()) {
    if (op === 0x41 || op === 0x42 || op === 0x23) b.skipLeb();
    else if (op === 0x43) b.take(4);
    else if (op === 0x44) b.take(8);
    else if (op === 0xd0) b.byte();
    else throw new Error(`a constant begins with operation ${op}`);
  }
}
function readNames(b, names) {
  while (b.at < b.bytes.length) {
    const kind = b.byte(), size = b.u(), end = b.at + size;
    if (kind === 1) each(b, () => { const index = b.u(); names.set(index, b.name()); });
    b.at = end;
  }
}

/** Copies a body, the functions that it names renumbered by `map`. */
function walk(body, map) {
  const r = new Reader(body), out = [];
  let from = 0;
  const flush = () => out.push(body.subarray(from, r.at));
  const renumbered = () => {
    flush();
    const index = r.u();
    out.push(Buffer.from(u(map(index))));
    from = r.at;
  };
  each(r, () => { r.skipLeb(); r.byte(); });
  while (r.at < body.length) {
    const op = r.byte();
    if (op === 0x10 || op === 0x12 || op === 0xd2) renumbered();
    else if (op === 0x02 || op === 0x03 || op === 0x04) r.skipLeb(); // block types are a byte or a signed index
    else if (op === 0x0c || op === 0x0d) r.skipLeb();
    else if (op === 0x0e) { each(r, () => r.skipLeb()); r.skipLeb(); }
    else if (op === 0x11 || op === 0x13) { r.skipLeb(); r.skipLeb(); }
    else if (op === 0x1c) each(r, () => r.byte());
    else if (op >= 0x20 && op <= 0x26) r.skipLeb();
    else if (op >= 0x28 && op <= 0x3e) { const align = r.u(); if (align & 64) r.skipLeb(); r.skipLeb(); }
    else if (op === 0x3f || op === 0x40) r.skipLeb();
    else if (op === 0x41 || op === 0x42) r.skipLeb();
    else if (op === 0x43) r.take(4);
    else if (op === 0x44) r.take(8);
    else if (op === 0xd0) r.byte();
    else if (op === 0xfc) {
      const sub = r.u();
      if (sub <= 7) continue;
      if (sub === 8 || sub === 10 || sub === 12 || sub === 14) { r.skipLeb(); r.skipLeb(); }
      else if (sub === 9 || sub === 11 || sub === 13 || (sub >= 15 && sub <= 17)) r.skipLeb();
      else throw new Error(`unknown operation fc ${sub}`);
    } else if (!(op <= 0x01 || op === 0x05 || op === 0x0b || op === 0x0f || op === 0x1a || op === 0x1b || op === 0xd1 || (op >= 0x45 && op <= 0xc4))) {
      throw new Error(`unknown operation ${op.toString(16)}`);
    }
  }
  r.at = body.length;
  flush();
  return Buffer.concat(out);
}

// ---- the two modules ----

const plain = (name) => name.replace(/::h[0-9a-f]{16}$/, "").replace(/\[[0-9a-f]{16}\]/g, "");
const missingOf = (m) => {
  const at = m.imports.findIndex((i) => i.name.includes("missing"));
  if (at < 0) throw new Error("the module does not import `missing`");
  return at;
};
const typeOf = (m, f) => m.functions[f - m.imported];

/** Without names, the sections that `change` returns put in the place of the old ones. */
function rebuilt(bytes, m, change) {
  const kept = m.sections.filter((sec) => sec.id !== 0 || new Reader(sec.body).name() === "target_features");
  return Buffer.concat([bytes.subarray(0, 8), ...kept.map((sec) => section(sec.id, change(sec) ?? sec.body))]);
}

/**
 * Functions that move are of two kinds: those that only others of the second module call leave nothing behind; where
 * the first module, its table or JavaScript may call one, a stub takes its place.
 */
function split(bytes, first) {
  const m = parse(bytes), missing = missingOf(m);
  const moves = (i) => m.bodies[i].length > SMALL && !first.has(plain(m.names.get(i + m.imported) ?? ""));
  const moved = m.bodies.map((_, i) => i).filter(moves).map((i) => i + m.imported);
  const place = new Map(moved.map((f, i) => [f, i]));
  const table = m.tables.findIndex((t) => t.type === 0x70), base = m.tables[table].min;
  const stubbed = wantedFrom(m, place);
  // The first module's functions, renumbered: imports, what stays and the stubs, and one that all stubs call.
  const staying = m.bodies.map((_, i) => i + m.imported).filter((f) => !place.has(f) || stubbed.has(f));
  const kept = likeBesideLike(staying, (f) => [place.has(f) ? 1 : 0, typeOf(m, f), place.get(f) ?? 0], (f) => m.bodies[f - m.imported]);
  const number = new Map(kept.map((f, i) => [f, m.imported + i]));
  const here = (f) => f < m.imported ? f : number.get(f);
  const loader = m.imported + kept.length;
  // The second module: its own functions behind those of the first that they call.
  const called = new Map();
  for (const f of moved) walk(m.bodies[f - m.imported], (g) => {
    if (!place.has(g) && !called.has(g)) called.set(g, called.size);
    return 0;
  });
  const there = (f) => place.has(f) ? called.size + place.get(f) : called.get(f);
  const bodies = moved.map((f) => walk(m.bodies[f - m.imported], there));
  const imports = [...called.keys()].map((f) => [...text("p"), ...text(`f${here(f)}`), 0, ...u(f < m.imported ? m.imports[f].type : typeOf(m, f))]);
  m.tables.forEach((t, i) => imports.push([...text("p"), ...text(`t${i}`), 1, t.type, 0, ...u(t.min)]));
  imports.push([...text("p"), ...text("m"), 2, 0, 0]);
  m.globals.forEach((g, i) => imports.push([...text("p"), ...text(`g${i}`), 3, g.type, g.mutable]));
  const element = Buffer.from([1, ...(table === 0 ? [0] : [2, ...u(table)]), 0x41, ...s(base), 0x0b, ...(table === 0 ? [] : [0]), ...u(moved.length), ...moved.flatMap((f) => u(there(f)))]);
  const rest = Buffer.concat([
    bytes.subarray(0, 8), section(TYPE, m.sections.find((sec) => sec.id === TYPE).body), section(IMPORT, vec(imports)),
    section(FUNCTION, vec(moved.map((f) => u(typeOf(m, f))))), section(ELEMENT, element),
    section(CODE, vec(bodies.map((b) => [...u(b.length), ...b]))),
  ]);
  // The loader takes a slot of the table and returns it, after it has seen to it that there is a function in it.
  const sized = (code) => [...u(code.length), ...code];
  const load = sized([0, 0x20, 0, 0x25, ...u(table), 0xd1, 0x04, 0x40, 0x20, 0, 0x10, ...u(missing), 0x0b, 0x20, 0, 0x0b]);
  const stub = (f) => {
    const params = m.types[typeOf(m, f)].params;
    return sized([0, ...params.flatMap((_, i) => [0x20, ...u(i)]), 0x41, ...s(base + place.get(f)), 0x10, ...u(loader), 0x11, ...u(typeOf(m, f)), ...u(table), 0x0b]);
  };
  const exported = [...called.keys()].sort((f, g) => here(f) - here(g)).map((f) => [...text(`f${here(f)}`), 0, ...u(here(f))]);
  m.tables.forEach((_, i) => exported.push([...text(`t${i}`), 1, ...u(i)]));
  exported.push([...text("m"), 2, 0]);
  m.globals.forEach((_, i) => exported.push([...text(`g${i}`), 3, ...u(i)]));
  const primary = rebuilt(bytes, m, (sec) => {
    if (sec.id === TYPE) return Buffer.concat([Buffer.from(u(m.types.length + 1)), sec.body.subarray(u(m.types.length).length), Buffer.from([0x60, 1, 0x7f, 1, 0x7f])]);
    if (sec.id === FUNCTION) return vec([...kept.map((f) => u(typeOf(m, f))), u(m.types.length)]);
    if (sec.id === TABLE) return vec(m.tables.map((t, i) => [t.type, 0, ...u(t.min + (i === table ? moved.length : 0))]));
    if (sec.id === EXPORT) return vec([...m.exports.map((e) => [...text(e.name), e.kind, ...u(e.kind === 0 ? here(e.index) : e.index)]), ...exported]);
    if (sec.id === START) return Buffer.from(u(here(new Reader(sec.body).u())));
    if (sec.id === ELEMENT) return elements(sec.body, here);
    if (sec.id === CODE) return vec([...kept.map((f) => place.has(f) ? stub(f) : sized(walk(m.bodies[f - m.imported], here))), load]);
  });
  return { primary, rest, moved: moved.length, stubs: stubbed.size, all: m.bodies.length };
}

/**
 * The order in which functions compress best, which is that of their types and then of how they begin: two hundredths
 * of the download. The first of the list are called most and keep the numbers that take one byte.
 */
function likeBesideLike(list, numbers, body) {
  const compare = (a, b) => {
    const [x, y] = [numbers(a), numbers(b)], at = x.findIndex((n, i) => n !== y[i]);
    return at >= 0 ? x[at] - y[at] : Buffer.compare(body(a), body(b));
  };
  return [...list.slice(0, ONE_BYTE), ...list.slice(ONE_BYTE).sort(compare)];
}

/** Of the functions that move, those that something calls or names which does not. */
function wantedFrom(m, place) {
  const wanted = new Set();
  const note = (f) => (place.has(f) && wanted.add(f), 0);
  m.bodies.forEach((body, i) => place.has(i + m.imported) || walk(body, note));
  m.exports.filter((e) => e.kind === 0).forEach((e) => note(e.index));
  for (const sec of m.sections) {
    if (sec.id === START) note(new Reader(sec.body).u());
    if (sec.id === ELEMENT) elements(sec.body, note);
  }
  return wanted;
}

/** Copies the element section, the functions that it names renumbered by `map`. */
function elements(body, map) {
  const r = new Reader(body), out = [];
  each(r, () => {
    const from = r.at, flags = r.u();
    if (flags > 3) throw new Error(`an element segment of kind ${flags}`);
    if (flags === 2) r.u();
    if (flags % 2 === 0) constant(r);
    if (flags !== 0) r.byte();
    const head = body.subarray(from, r.at), functions = [];
    each(r, () => functions.push(u(map(r.u()))));
    out.push([...head, ...vec(functions)]);
  });
  return vec(out);
}

/** Every function tells its number to `missing` when it begins. */
function instrumented(bytes) {
  const m = parse(bytes), missing = missingOf(m);
  const told = (b, i) => {
    const r = new Reader(b);
    each(r, () => { r.skipLeb(); r.byte(); });
    const body = [...b.subarray(0, r.at), 0x41, ...s(i + m.imported), 0x10, ...u(missing), ...b.subarray(r.at)];
    return [...u(body.length), ...body];
  };
  return rebuilt(bytes, m, (sec) => sec.id === CODE ? vec(m.bodies.map(told)) : undefined);
}

// ---- the page's folder ----

const wasmOf = (dist) => {
  const name = readdirSync(dist).find((n) => n.endsWith("_bg.wasm"));
  if (!name) throw new Error(`${dist} has no wasm module`);
  return name;
};
const integrity = (bytes) => "sha384-" + createHash("sha384").update(bytes).digest("base64");

/** The page asks for the module by its digest; the rest is named by a link beside it. */
function relink(dist, name, primary, rest) {
  const page = join(dist, "index.html"), restName = name.replace("_bg.wasm", "_rest.wasm");
  const html = readFileSync(page, "utf8");
  const link = new RegExp(`(<link rel="preload" href="([^"]*)${name.replaceAll(".", "\\.")}"[^>]*integrity=")[^"]*("[^>]*>)`);
  if (!link.test(html)) throw new Error("index.html does not preload the wasm module");
  writeFileSync(page, html.replace(link, (_, before, path, after) =>
    `${before}${integrity(primary)}${after}${rest ? `<link rel="x-rest" href="${path}${restName}" integrity="${integrity(rest)}">` : ""}`));
  writeFileSync(join(dist, name), primary);
  if (rest) writeFileSync(join(dist, restName), rest);
}

function main([dist, mode]) {
  const name = wasmOf(dist), path = join(dist, name), bytes = readFileSync(path);
  if (parse(bytes).names.size === 0) return console.log("split: the module has no names (no wasm-opt?): it stays whole");
  if (mode === "--record") return record(dist, name, bytes);
  if (!existsSync(LIST)) throw new Error("scripts/first.txt is missing");
  const first = new Set(readFileSync(LIST, "utf8").split("\n").filter((line) => line && !line.startsWith("#")));
  const { primary, rest, moved, stubs, all } = split(bytes, first);
  relink(dist, name, primary, rest);
  console.log(`split: ${moved} of ${all} functions come later, ${stubs} of them with a stub; ${primary.length} bytes first, ${rest.length} later`);
}

/** Serves the folder with every function telling that it ran, opens it with and without a link, and lists those that did. */
function record(dist, name, bytes) {
  relink(dist, name, instrumented(bytes), null);
  const kinds = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".svg": "image/svg+xml" };
  const profile = join(dist, "profile"), heard = new Set(), visits = ["", SHARED];
  let browser;
  const server = createServer((request, response) => {
    if (request.method === "POST") {
      let body = "";
      request.on("data", (part) => (body += part)).on("end", () => {
        JSON.parse(body).forEach((f) => heard.add(f));
        response.end();
        browser.once("exit", next).kill();
      });
      return;
    }
    const path = decodeURIComponent(request.url.split(/[?#]/)[0]);
    const file = join(dist, path === "/" ? "index.html" : path);
    if (!existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": kinds[extname(file)] ?? "text/plain" }).end(readFileSync(file));
  });
  const next = () => {
    const visit = visits.shift();
    if (visit === undefined) return server.close(), rmSync(profile, { recursive: true, force: true }), list(bytes, [...heard]);
    const url = `http://127.0.0.1:${server.address().port}/?record#${visit}`;
    browser = spawn(chrome(), ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
      `--user-data-dir=${profile}`, "--window-size=1440,900", url], { stdio: "ignore" });
  };
  server.listen(0, "127.0.0.1", next);
}

const chrome = () => ["chromium", "chromium-browser", "google-chrome"].find((name) => {
  try { execFileSync("which", [name]); return true; } catch { return false; }
});

/** Writes the names of the functions with these numbers. */
function list(bytes, numbers) {
  const { names, bodies, imported } = parse(bytes);
  const ran = new Set(numbers.map((f) => plain(names.get(f) ?? "")));
  const size = numbers.reduce((sum, f) => sum + bodies[f - imported].length, 0);
  const head = "# Functions that the first seconds of the page need (written by `make first`); the others come later.\n";
  writeFileSync(LIST, head + [...ran].filter(Boolean).sort().join("\n") + "\n");
  console.log(`split: ${numbers.length} functions ran, of ${size} bytes; scripts/first.txt is written`);
}

main(process.argv.slice(2));
