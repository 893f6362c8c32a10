// What a person says of each example, and where it is kept: by the server at once, or by the browser until it is saved.
const byId = (id) => document.getElementById(id);
const held = JSON.parse(byId("held").textContent);
const items = held.items;
const served = held.token !== null;
const WRONG = "wrong label";
const KEY = `dlspec sheet ${held.key}`;
const AGAIN_MS = 2000;

// Tags in a lasting order, so that a digit keeps its tag: the most frequent first, new ones behind.
const categories = [];
const waiting = new Map();
let sending = false;
let refused = "";

function clean(text) {
  return text.replaceAll(";", ",").split(/\s+/u).filter(Boolean).join(" ").slice(0, 80);
}

function learn(tag) {
  if (tag !== WRONG && !categories.includes(tag)) categories.push(tag);
}

function counts() {
  const found = new Map(categories.map((tag) => [tag, 0]));
  let tagged = 0;
  for (const item of items) {
    if (!item.error || !item.tags.length) continue;
    tagged += 1;
    for (const tag of item.tags) found.set(tag, (found.get(tag) ?? 0) + 1);
  }
  return { found, tagged };
}

// Wilson's interval of a share, 95 %.
function wilson(count, n) {
  if (!n) return [0, 1];
  const z = 1.959964;
  const middle = (count + (z * z) / 2) / (n + z * z);
  const half = (z / (n + z * z)) * Math.sqrt((count * (n - count)) / n + (z * z) / 4);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

function toggle(row, tag) {
  const item = items[row];
  item.tags = item.tags.includes(tag) ? item.tags.filter((one) => one !== tag) : [...item.tags, tag];
  learn(tag);
  keep(row, "tags");
}

// Returns what is wrong with the label, or "".
function correct(row, label) {
  if (label && held.classes && !held.classes.includes(label)) return `there is no class '${label}'`;
  items[row].label = label;
  keep(row, "label");
  return "";
}

function keep(row, what) {
  if (served) {
    waiting.set(`${what} ${row}`, { row, what });
    send();
  } else {
    remember();
  }
  changed(row);
}

async function send() {
  if (sending) return;
  sending = true;
  while (waiting.size) {
    const [key, { row, what }] = waiting.entries().next().value;
    waiting.delete(key);
    let answer, said;
    try {
      const body = JSON.stringify({ row, [what]: items[row][what] });
      const headers = { "Content-Type": "application/json", "X-Sheet-Token": held.token };
      answer = await fetch("note", { method: "POST", headers, body, keepalive: true }); // though the page is closed
      said = await answer.json();
    } catch {
      if (!waiting.has(key)) waiting.set(key, { row, what });
      setTimeout(send, AGAIN_MS);
      break;
    }
    refused = answer.ok ? "" : said.error;
    if (!answer.ok && what === "label") {
      items[row].label = "";
      changed(row);
    }
  }
  sending = false;
  state();
}

function remember() {
  const found = items.filter((item) => item.tags.length || item.label || item.touched);
  try {
    const kept = Object.fromEntries(found.map((item) => [item.id, { tags: item.tags, label: item.label }]));
    localStorage.setItem(KEY, JSON.stringify(kept));
    refused = "";
  } catch {
    refused = "this browser keeps nothing for files: save before you close the page";
  }
  state();
}

function recall() {
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
  } catch {
    return;
  }
  for (const item of items) {
    const own = Object.hasOwn(kept, item.id) ? kept[item.id] : null;
    if (own) Object.assign(item, { tags: own.tags, label: own.label, touched: true });
  }
}

// What became of the last change, in the line below the panel.
function state() {
  const line = byId("state");
  const lost = served && waiting.size && !sending;
  line.classList.toggle("warning", Boolean(refused || lost));
  byId("save").hidden = served && !lost;
  byId("save-labels").hidden = byId("save").hidden || !items.some((item) => item.label);
  if (refused) line.textContent = refused;
  else if (lost) line.textContent = `the server does not answer: ${waiting.size} not saved yet; start it again, or save as a file`;
  else if (served) line.textContent = `saved in ${held.tags_file}`;
  else line.textContent = "kept in this browser until you save";
}

// Lone surrogates stand for bytes of file names that are no UTF-8; tables hold them as \udce9.
function cell(text) {
  const plain = String(text).replace(/[\ud800-\udfff]/gu, (one) => `\\u${one.charCodeAt(0).toString(16)}`);
  return /[",\r\n]/u.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

function download(name, rows) {
  const text = rows.map((row) => `${row.map(cell).join(",")}\n`).join("");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function saveTags() {
  const mine = items.filter((item) => item.tags.length).map((item) => [item.id, item.tags]);
  const rows = [...held.others, ...mine].map(([id, tags]) => [id, tags.join("; ")]);
  download("tags.csv", [["id", "tags"], ...rows]);
}

function saveLabels() {
  const rows = items.filter((item) => item.label).map((item) => [
    item.id, item.split, item.given, item.suspect?.suggested ?? "", item.suspect?.probability ?? "", item.label,
    item.suspect?.why ?? "written in the sheet",
  ]);
  download("relabel.csv", [["id", "split", "label", "suggested", "probability", "new", "why"], ...rows]);
}
