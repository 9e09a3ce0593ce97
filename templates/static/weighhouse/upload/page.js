// The upload page: files in by button or by drag, one line each, one meter for all, one commit at the end.
import { Memory } from "./memory.js";
import { Sender } from "./sender.js";
import { Changed, Refused, Stopped } from "./talk.js";
import { counted, decimal, said } from "./words.js";

const root = document.querySelector("[data-upload]");
const find = (name) => root.querySelector(`[data-is="${name}"]`);
const place = { doors: root.dataset.doors, worker: root.dataset.worker };
const memory = new Memory(root.dataset.key);
const SHOWN = 300;
const WORDS = {
  chosen: "chosen", waiting: "waiting", hashing: "computing sha256", sending: "on its way", ready: "ready", ignored: "left out by .gitignore",
  changed: "changed after it was chosen: choose it again", failed: "",
};

let items = new Map();
let sender = null;
let number = 0;
let phase = "choosing";
let pace = [];
let drawing = false;

const bytes = (count) => {
  const units = [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"]];
  const [scale, unit] = units.find(([least]) => count >= least * 0.9995) ?? [1, "B"];
  const value = count / scale;
  return `${scale === 1 ? value : decimal(value.toFixed(value < 9.995 ? 2 : 1))} ${unit}`;
};

const span = (seconds) => {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
};

// --- choosing ---------------------------------------------------------------------------------------------

const add = (file, path) => {
  const whole = (root.dataset.folder ? `${root.dataset.folder}/` : "") + path.replace(/^\/+/, "");
  const old = items.get(whole);
  old?.row?.remove();
  number += 1;
  items.set(whole, { id: number, path: whole, file, size: file.size, state: "chosen", large: false, sha256: "", sent: 0, hashed: 0, kept: 0, problem: "" });
};

// What is in a chosen folder goes where the page stands, without the folder's own name.
const inside = (path) => path.split("/").slice(1).join("/");

const take = (list) => {
  for (const file of list) add(file, inside(file.webkitRelativePath) || file.name);
  render();
};

const children = async (entry) => {
  const reader = entry.createReader();
  const found = [];
  // A reader gives a hundred names at a time.
  for (;;) {
    const batch = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!batch.length) return found;
    found.push(...batch);
  }
};

const walk = async (entry, before = "") => {
  const path = before + entry.name;
  if (entry.isFile) {
    add(await new Promise((resolve, reject) => { entry.file(resolve, reject); }), path);
    return;
  }
  for (const inner of await children(entry)) await walk(inner, `${path}/`);
};

const drop = async (event) => {
  event.preventDefault();
  find("drop").removeAttribute("data-over");
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  // What comes from another program than a file manager has no entries.
  if (!entries.length) for (const file of event.dataTransfer.files) add(file, file.name);
  for (const entry of entries) {
    if (entry.isFile || entries.length > 1) await walk(entry);
    else for (const inner of await children(entry)) await walk(inner);
  }
  render();
};

// --- drawing ----------------------------------------------------------------------------------------------

const line = (item) => {
  const row = find("row").content.firstElementChild.cloneNode(true);
  const cell = (name) => row.querySelector(`[data-cell="${name}"]`);
  cell("path").textContent = item.path;
  cell("size").textContent = bytes(item.size);
  row.querySelector("button").setAttribute("aria-label", said("Leave {path} out", item));
  row.querySelector("button").addEventListener("click", () => { items.delete(item.path); row.remove(); render(); });
  item.row = row;
  item.cells = { state: cell("state"), bar: cell("bar") };
  return row;
};

const drawItem = (item) => {
  if (!item.row) return;
  item.row.dataset.state = item.state;
  item.row.querySelector("button").hidden = phase !== "choosing";
  const share = item.state === "hashing" ? item.hashed / item.size : item.sent / item.size;
  const going = item.state === "hashing" || item.state === "sending";
  item.cells.bar.parentElement.hidden = !going;
  item.cells.bar.style.setProperty("--v", String(Math.min(100, 100 * (share || 0))));
  item.cells.state.textContent = item.problem || said(WORDS[item.state]);
};

const sum = (list, key) => list.reduce((total, item) => total + item[key], 0);

const rate = (sent) => {
  const now = performance.now() / 1000;
  pace.push([now, sent]);
  while (pace.length > 2 && pace[0][0] < now - 15) pace.shift();
  const [then, before] = pace[0];
  return now > then ? Math.max(0, sent - before) / (now - then) : 0;
};

const drawTotal = () => {
  const all = [...items.values()];
  const large = all.filter((item) => item.large && item.state !== "changed" && item.state !== "failed");
  const size = sum(large, "size");
  const sent = Math.min(sum(large, "sent"), size);
  const speed = rate(sent);
  const left = size - sent;
  const percent = size ? Math.floor((100 * sent) / size) : 100;
  const busy = all.filter((item) => item.state === "hashing");
  find("percent").textContent = `${percent}%`;
  find("meter").style.setProperty("--v", String(size ? (100 * sent) / size : 100));
  find("track").setAttribute("aria-valuenow", String(percent));
  find("amount").textContent = said("{sent} of {size}", { sent: bytes(sent), size: bytes(size) });
  const words = [];
  if (phase === "paused") words.push(said("paused"));
  else if (left && speed > 0) words.push(said("{speed} a second, about {time} left", { speed: bytes(speed), time: span(left / speed) }));
  else if (busy.length) words.push(said("computing the sha256 of {path}", busy[0]));
  const kept = sum(large, "kept");
  if (kept) words.push(said("{size} were here already", { size: bytes(kept) }));
  find("pace").textContent = words.join("; ");
};

const draw = (item) => {
  drawItem(item);
  if (drawing) return;
  drawing = true;
  setTimeout(() => { drawing = false; drawTotal(); }, 200);
};

const render = () => {
  const all = [...items.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
  const body = find("rows");
  body.replaceChildren(...all.slice(0, SHOWN).map((item) => item.row ?? line(item)));
  all.forEach(drawItem);
  find("list").hidden = !all.length;
  find("count").textContent = `${counted(all.length, "one file", "{number} files")}, ${bytes(sum(all, "size"))}`;
  find("more").hidden = all.length <= SHOWN;
  find("more").textContent = said("{number} more are not listed, but go along.", { number: all.length - SHOWN });
  find("start").disabled = !all.length;
  show(phase);
};

const show = (next) => {
  phase = next;
  const sending = ["sending", "paused", "committing"].includes(phase);
  find("progress").hidden = !sending;
  find("progress").toggleAttribute("data-running", phase === "sending" || phase === "committing");
  find("start").hidden = sending;
  find("pause").hidden = phase !== "sending";
  find("resume").hidden = phase !== "paused";
  find("cancel").hidden = !["sending", "paused"].includes(phase);
  find("drop").hidden = sending;
  root.querySelectorAll("fieldset").forEach((set) => { set.disabled = sending; });
  if (phase === "committing") find("pace").textContent = said("Proving what arrived, and committing");
  items.forEach(drawItem);
};

const say = (text, tone = "bad") => {
  const note = find("said");
  note.hidden = !text;
  note.className = `note is-${tone}`;
  note.querySelector("p").textContent = text;
};

// --- sending ----------------------------------------------------------------------------------------------

const start = async () => {
  const title = find("title").value.trim() || find("title").dataset.default;
  const all = [...items.values()];
  // What was refused for what it held is tried again; what changed on the disk must be chosen again.
  for (const item of all) if (item.state === "failed") Object.assign(item, { state: "waiting", problem: "", sha256: "" });
  say("");
  pace = [];
  memory.begin(title, all.length);
  sender = new Sender(place, memory, draw);
  sender.proposal = root.querySelector("[name=target]:checked")?.value === "proposal" || root.dataset.only === "proposal";
  show("sending");
  try {
    await sender.send(all);
    const bad = all.filter((item) => ["changed", "failed"].includes(item.state));
    if (bad.length) throw new Refused(400, counted(bad.length,
      "{path} was not sent; the list says why. Choose it again or leave it out. Nothing was committed.",
      "{number} files were not sent; the list says why. Choose them again or leave them out. Nothing was committed.", bad[0]));
    const ready = all.filter((item) => item.state === "ready");
    if (!ready.length) throw new Refused(400, said("There is nothing to commit."));
    show("committing");
    const header = { summary: title, description: find("description").value, folder: root.dataset.folder };
    const done = await sender.commit(ready, header);
    memory.forget();
    phase = "done";
    location.assign(done.url);
  } catch (fault) {
    // What the hub found wrong at the end may lie in any of the files: they are hashed anew.
    if (phase === "committing" && fault instanceof Refused && [400, 410].includes(fault.status)) {
      for (const item of all) if (item.large && item.state === "ready") Object.assign(item, { state: "waiting", sha256: "" });
      memory.forget();
    }
    show("choosing");
    if (fault instanceof Stopped) say(said("Stopped. Nothing was committed. What has arrived is kept for a while: upload the same files again and only the rest is sent."), "info");
    else if (fault instanceof Changed) say(said("A file was changed after it was chosen. Choose it again. Nothing was committed."));
    else if (fault instanceof Refused) say(fault.message);
    else { say(said("Something went wrong in this page. Reload it and choose the same files: only the rest is sent.")); throw fault; }
    const stopped = sender;
    sender = null;
    stopped.stop();
    for (const item of items.values()) if (["hashing", "sending"].includes(item.state)) item.state = "waiting";
    render();
  }
};

// --- wiring -----------------------------------------------------------------------------------------------

find("files").addEventListener("change", (event) => { take(event.target.files); event.target.value = ""; });
find("folder").addEventListener("change", (event) => { take(event.target.files); event.target.value = ""; });
find("drop").addEventListener("dragover", (event) => { event.preventDefault(); find("drop").setAttribute("data-over", ""); });
find("drop").addEventListener("dragleave", () => find("drop").removeAttribute("data-over"));
find("drop").addEventListener("drop", drop);
root.addEventListener("submit", (event) => { event.preventDefault(); if (items.size && !sender) start(); });
find("pause").addEventListener("click", () => { sender?.pause(); show("paused"); });
find("resume").addEventListener("click", () => { sender?.resume(); pace = []; show("sending"); });
find("cancel").addEventListener("click", () => { sender?.stop(); });
find("forget").addEventListener("click", () => { memory.forget(); find("left").hidden = true; });
addEventListener("beforeunload", (event) => { if (["sending", "paused", "committing"].includes(phase)) event.preventDefault(); });

if (memory.record.chosen) {
  find("left").hidden = false;
  find("left-count").textContent = counted(memory.record.chosen, "one file", "{number} files");
  find("title").value = memory.record.title === find("title").dataset.default ? "" : memory.record.title;
}
root.hidden = false;
render();
