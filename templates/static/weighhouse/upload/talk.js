// Talking to the hub and to the store: JSON to the one, bytes to the other.

import { said } from "./words.js";

export class Refused extends Error {
  constructor(status, message) { super(message); this.status = status; }
}
export class Stopped extends Error {}
export class Changed extends Error {}

export const wait = (seconds) => new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });

// The token changes when somebody logs in again in another tab, so it is read anew for each call.
const csrf = () => document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/)?.[1] ?? "";

const TROUBLE = {
  0: said("The hub does not answer. Go on when you are online again."),
  401: said("You were logged out. Log in again in another tab, then go on here; nothing is lost."),
  403: said("The hub did not take this form: log in again in another tab, then go on here; nothing is lost."),
};
const TRIES = 5;

const sentence = async (answer) => {
  const isJson = (answer.headers.get("Content-Type") ?? "").includes("json");
  const told = isJson ? (await answer.json()).error : "";
  if (answer.status === 401) return TROUBLE[401];
  return told || TROUBLE[answer.status] || said("The hub answered {status}.", answer);
};

export const call = async (address, body, { type = "application/json", signal } = {}) => {
  const headers = { "X-CSRFToken": csrf(), Accept: "application/json", "Content-Type": type };
  for (let attempt = 1; ; attempt += 1) {
    let answer = null;
    try {
      answer = await fetch(address, { method: "POST", headers, body, signal, credentials: "same-origin" });
    } catch {
      if (signal?.aborted) throw new Stopped();
      if (attempt >= TRIES) throw new Refused(0, TROUBLE[0]);
    }
    if (answer?.ok) return answer.json();
    if (answer && (![429, 502, 503, 504].includes(answer.status) || attempt >= TRIES)) {
      throw new Refused(answer.status, await sentence(answer));
    }
    await wait(2 ** (attempt - 1));
  }
};

// fetch() does not tell how much of a body has left, so parts go by the older way.
export const put = (url, blob, { signal, onsent }) => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest();
  const stop = () => request.abort();
  const fail = (status) => { signal.removeEventListener("abort", stop); reject(new Refused(status, "")); };
  request.open("PUT", url);
  request.upload.onprogress = (event) => onsent(event.loaded);
  request.onload = () => {
    if (request.status < 200 || request.status > 299) { fail(request.status); return; }
    signal.removeEventListener("abort", stop);
    resolve();
  };
  request.onerror = () => fail(0);
  request.onabort = () => reject(new Stopped());
  if (signal.aborted) { reject(new Stopped()); return; }
  signal.addEventListener("abort", stop);
  request.send(blob);
});

// A browser refuses to read a file whose time or size is no longer what it was when it was chosen.
export const isUnchanged = async (file) => {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
};
