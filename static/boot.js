// Starts the program. Trunk writes the names (with their hashes) and the integrity of the wasm module and of its
// JavaScript into two preload links; this file reads them there, so that the page needs no inline script.

const state = document.getElementById("shell-state");
const progress = document.getElementById("shell-progress");

/** Shows a failure in the shell, if the shell is still there, and lets the console have the whole of it. */
function fail(sentence, error) {
  document.querySelector("main.shell")?.removeAttribute("aria-busy");
  progress?.remove();
  if (state) {
    state.setAttribute("role", "alert");
    state.textContent = sentence;
  }
  console.error(error);
}

/** The response, its body counted into the progress bar as it arrives. */
function counted(response) {
  const total = Number(response.headers.get("content-length"));
  // With a content encoding the length is that of the compressed bytes, which cannot be compared with what is read.
  if (!total || response.headers.get("content-encoding") || !response.body || !progress) return response;
  let read = 0;
  const counter = new TransformStream({
    transform(chunk, out) {
      read += chunk.byteLength;
      progress.value = Math.min(1, read / total);
      out.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(counter), { headers: response.headers, status: response.status });
}

// The wasm comes in two parts (scripts/split.mjs): the second is named by a link, if there is one. `begin` is called when
// the page starts and fetches it meanwhile; `missing` when something of it is called before it is there.
const rest = document.querySelector('link[rel="x-rest"]');
const recording = new URLSearchParams(location.search).has("record") && { ran: new Set() };
let exports;

globalThis.brokerlab = {
  begin(own) {
    exports = own;
    if (recording) setTimeout(() => fetch("ran", { method: "POST", body: JSON.stringify([...recording.ran]) }), 9000);
    if (!rest) return;
    fetch(rest.href, { integrity: rest.integrity, credentials: "same-origin" })
      .then((response) => WebAssembly.instantiateStreaming(response, { p: exports }))
      .then(() => document.documentElement.setAttribute("data-whole", ""))
      .catch((error) => console.error(error));
  },
  // Told the slot of the table that is called; while recording, the number of each function that runs.
  missing(number) {
    if (recording) return recording.ran.add(number);
    console.info(`slot ${number} was called before the rest of the program was there`);
    const request = new XMLHttpRequest();
    request.open("GET", rest.href, false);
    request.overrideMimeType("text/plain; charset=x-user-defined");
    request.send();
    const bytes = Uint8Array.from(request.responseText, (letter) => letter.charCodeAt(0) & 255);
    new WebAssembly.Instance(new WebAssembly.Module(bytes), { p: exports });
  },
};

async function start() {
  const module = document.querySelector('link[rel="modulepreload"]');
  const wasm = document.querySelector('link[rel="preload"][as="fetch"]');
  if (!module || !wasm) throw new Error("The page names no program: it was not built by Trunk.");
  const [{ default: init }, response] = await Promise.all([
    import(module.href),
    fetch(wasm.href, { integrity: wasm.integrity, credentials: "same-origin" }),
  ]);
  if (!response.ok) throw new Error(`${wasm.href} answered ${response.status}.`);
  await init({ module_or_path: counted(response) });
}

if (typeof WebAssembly !== "object") {
  fail("This browser has no WebAssembly, which Brokerlab runs on. Any browser of the last years has it.", "no WebAssembly");
} else {
  start().catch((error) => fail("Brokerlab could not start. Reload the page; if that does not help, the site is incomplete.", error));
}
