// What a reload must not lose: the hashes that were computed, by path, size and time of change.  Bytes are not kept here;
// the hub knows which parts it has.
const DAYS = 2;
const MOST = 20000;

export class Memory {
  constructor(key) {
    this.key = `weighhouse-upload:${key}`;
    this.record = this.read();
  }

  read() {
    try {
      const found = JSON.parse(localStorage.getItem(this.key) ?? "null");
      if (found && Date.now() - found.at < DAYS * 86400e3) return found;
    } catch { /* Storage may be off, or hold what somebody else wrote. */ }
    return { at: Date.now(), files: {}, title: "", chosen: 0 };
  }

  write() {
    this.record.at = Date.now();
    try { localStorage.setItem(this.key, JSON.stringify(this.record)); } catch { /* Without it files are hashed again. */ }
  }

  static name(item) { return `${item.path}|${item.size}|${item.file.lastModified}`; }

  recall(item) { return this.record.files[Memory.name(item)] ?? ""; }

  keep(item) {
    if (Object.keys(this.record.files).length >= MOST) return;
    this.record.files[Memory.name(item)] = item.sha256;
    this.write();
  }

  begin(title, chosen) { Object.assign(this.record, { title, chosen }); this.write(); }

  forget() {
    this.record = { at: Date.now(), files: {}, title: "", chosen: 0 };
    try { localStorage.removeItem(this.key); } catch { /* There was none. */ }
  }
}
