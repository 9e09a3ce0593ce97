// Brings files to the hub: asks how each is to go, hashes the large ones, sends their parts, and commits everything.
import { call, Changed, isUnchanged, put, Refused, Stopped, wait } from "./talk.js";
import { said } from "./words.js";

const LANES = 3;           // files under way at once
const PARTS_AT_ONCE = 4;   // parts under way at once, of all files together
const TRIES = 6;
const ADVICE_AT_ONCE = 200;
const SAMPLE = 512;

const base64 = async (blob) => {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
};

export class Sender {
  // `place`: {doors, worker}; `memory`: recalls hashes; `draw(item)` is told of every step.
  constructor(place, memory, draw) {
    Object.assign(this, { place, memory, draw });
    this.proposal = false;
    this.stopping = new AbortController();
    this.pausing = new AbortController();
    this.resumed = null;
    this.busy = 0;
    this.line = [];
    this.hashing = new Map();
    this.worker = null;
  }

  address(verb) { return `${this.place.doors}${verb}${this.proposal ? "?proposal=1" : ""}`; }

  ask(verb, data) { return call(this.address(verb), JSON.stringify(data), { signal: this.stopping.signal }); }

  pause() {
    if (this.resumed) return;
    this.resumed = {};
    this.resumed.promise = new Promise((resolve) => { this.resumed.open = resolve; });
    this.pausing.abort();
    this.worker?.postMessage({ pause: true });
  }

  resume() {
    if (!this.resumed) return;
    this.pausing = new AbortController();
    this.worker?.postMessage({ pause: false });
    this.resumed.open();
    this.resumed = null;
  }

  stop() {
    this.stopping.abort();
    this.pausing.abort();
    this.worker?.terminate();
    this.hashing.forEach(({ reject }) => reject(new Stopped()));
    this.hashing.clear();
    this.resumed?.open();
    this.resumed = null;
  }

  async gate() {
    while (this.resumed) await this.resumed.promise;
    if (this.stopping.signal.aborted) throw new Stopped();
  }

  // Everything but the commit.  Faults of single files stay with them; what concerns all is thrown.
  async send(items) {
    await this.advise(items.filter((item) => item.state === "chosen"));
    const queue = items.filter((item) => item.state === "waiting");
    const lane = async () => {
      for (let item = queue.shift(); item; item = queue.shift()) await this.bring(item);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  async advise(items) {
    for (let at = 0; at < items.length; at += ADVICE_AT_ONCE) {
      await this.gate();
      const batch = items.slice(at, at + ADVICE_AT_ONCE);
      const samples = await Promise.all(batch.map((item) => this.sample(item)));
      const known = batch.filter((item) => item.state === "chosen");
      const files = known.map((item) => ({ path: item.path, size: item.size, sample: samples[batch.indexOf(item)] }));
      if (!files.length) continue;
      const answers = (await this.ask("advise", { files })).files;
      answers.forEach((answer, number) => {
        const state = answer.ignored ? "ignored" : answer.large ? "waiting" : "ready";
        this.set(known[number], { state, large: answer.large });
      });
    }
  }

  async sample(item) {
    try {
      return await base64(item.file.slice(0, SAMPLE));
    } catch {
      this.set(item, { state: "changed" });
      return "";
    }
  }

  set(item, facts) { Object.assign(item, facts); this.draw(item); }

  async bring(item) {
    try {
      if (!item.sha256) await this.hash(item);
      await this.deliver(item);
      if (!(await isUnchanged(item.file))) throw new Changed();
      this.set(item, { state: "ready", sent: item.size });
    } catch (fault) {
      if (fault instanceof Stopped) throw fault;
      if (fault instanceof Changed) this.set(item, { state: "changed", sha256: "", sent: 0 });
      else if (fault instanceof Refused && [0, 401, 403].includes(fault.status)) { this.set(item, { state: "waiting" }); throw fault; }
      else this.set(item, { state: "failed", problem: fault.message });
    }
  }

  async hash(item) {
    const known = this.memory.recall(item);
    if (known && await isUnchanged(item.file)) { item.sha256 = known; return; }
    this.set(item, { state: "hashing", hashed: 0 });
    item.sha256 = await new Promise((resolve, reject) => {
      this.hashing.set(item.id, { item, resolve, reject });
      this.hasher().postMessage({ id: item.id, file: item.file });
    });
    this.memory.keep(item);
  }

  hasher() {
    if (this.worker) return this.worker;
    this.worker = new Worker(this.place.worker);
    this.worker.onmessage = ({ data }) => {
      const wish = this.hashing.get(data.id);
      if (!wish) return;
      if (data.done !== undefined) { this.set(wish.item, { hashed: data.done }); return; }
      this.hashing.delete(data.id);
      if (data.sha256) wish.resolve(data.sha256); else wish.reject(new Changed());
    };
    return this.worker;
  }

  async deliver(item) {
    for (let attempt = 1; ; attempt += 1) {
      await this.gate();
      try {
        const plan = (await this.ask("begin", { files: [{ sha256: item.sha256, size: item.size }] })).files[0];
        const left = plan.left.reduce((sum, part) => sum + part.end - part.start, 0);
        this.set(item, { state: "sending", sent: item.size - left, kept: item.size - left });
        if (!plan.upload) return;
        await this.sendParts(item, plan.left);
        await this.ask("finish", { upload: plan.upload });
        return;
      } catch (fault) {
        // Addresses that have ended, parts that the store lost, an upload it gave up: begun again, the rest is planned anew.
        const again = fault instanceof Refused && (fault.status === 410 || fault.status === 400 || fault.inStore);
        if (!again || attempt >= TRIES) throw fault;
      }
    }
  }

  async sendParts(item, parts) {
    const ending = new AbortController();
    try {
      await Promise.all(parts.map((part) => this.takeTurn(() => this.sendPart(item, part, ending.signal))));
    } catch (fault) {
      ending.abort();
      throw fault;
    }
  }

  async takeTurn(work) {
    if (this.busy >= PARTS_AT_ONCE) await new Promise((resolve) => { this.line.push(resolve); });
    else this.busy += 1;
    try {
      await work();
    } finally {
      const next = this.line.shift();
      if (next) next(); else this.busy -= 1;
    }
  }

  async sendPart(item, part, ended) {
    const piece = item.file.slice(part.start, part.end);
    for (let attempt = 1; ; ) {
      await this.gate();
      if (ended.aborted) throw new Stopped();
      let gone = 0;
      const onsent = (bytes) => { this.set(item, { sent: item.sent + bytes - gone }); gone = bytes; };
      const signal = AbortSignal.any([this.pausing.signal, this.stopping.signal, ended]);
      try {
        await put(part.url, piece, { signal, onsent });
        onsent(part.end - part.start);
        return;
      } catch (fault) {
        onsent(0);
        if (fault instanceof Stopped) {
          if (ended.aborted || this.stopping.signal.aborted) throw fault;
          continue;
        }
        if (!(await isUnchanged(item.file))) throw new Changed();
        if (fault.status >= 400 && fault.status < 500) { fault.inStore = true; fault.message ||= said("The store answered {status}.", fault); throw fault; }
        if (attempt >= TRIES) { fault.status = 0; fault.message = said("The store does not answer. Go on when you are online again."); throw fault; }
        await wait(2 ** (attempt - 1));
        attempt += 1;
      }
    }
  }

  // One commit of all that is ready.  Small files travel in it.
  async commit(items, header) {
    const lines = [JSON.stringify({ key: "header", value: header }) + "\n"];
    for (const item of items) {
      if (item.large) {
        lines.push(JSON.stringify({ key: "lfsFile", value: { path: item.path, oid: item.sha256, size: item.size, algo: "sha256" } }) + "\n");
        continue;
      }
      let content = "";
      try { content = await base64(item.file); } catch { this.set(item, { state: "changed" }); throw new Changed(); }
      // A blob of its own, so that the browser may keep it outside of memory.
      lines.push(new Blob([JSON.stringify({ key: "file", value: { path: item.path, content } }), "\n"]));
    }
    return call(this.address("commit"), new Blob(lines), { type: "application/x-ndjson", signal: this.stopping.signal });
  }
}
