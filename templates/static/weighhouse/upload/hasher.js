// A worker that computes sha256 piece by piece: a file of any size in the memory of one piece.
importScripts(new URL("../../vendor/hash-wasm/sha256.umd.min.js", self.location));

const PIECE = 8 * 2 ** 20;
let turn = Promise.resolve();
let gate = null;
let open = null;

const hash = async ({ id, file }) => {
  try {
    const hasher = await hashwasm.createSHA256();
    hasher.init();
    for (let start = 0; start < file.size; start += PIECE) {
      if (gate) await gate;
      const piece = await file.slice(start, start + PIECE).arrayBuffer();
      hasher.update(new Uint8Array(piece));
      postMessage({ id, done: start + piece.byteLength });
    }
    postMessage({ id, sha256: hasher.digest() });
  } catch (error) {
    postMessage({ id, error: error.name });
  }
};

onmessage = ({ data }) => {
  if (data.pause === true && !gate) gate = new Promise((resolve) => { open = resolve; });
  else if (data.pause === false && gate) { open(); gate = null; }
  else if (data.file) turn = turn.then(() => hash(data));
};
