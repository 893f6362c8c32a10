// What is seen: the examples, the one that is looked at, and the table of tags.  All text goes in as text.
const MOST_COLUMNS = 12;
const PIXELS = 64;
const BRIEF = 60;
const BATCH = 240;
// Examples are drawn when the list comes to them: a long sheet opens, and answers a key, as fast as a short one.
const nodes = [];
let list;
let visible = [];
let listed = 0;
let here = -1;

function make(name, className, ...inside) {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.append(...inside);
  return node;
}

function image(row, size) {
  const item = items[row];
  const node = make("img", "");
  node.alt = item.id;
  node.addEventListener("load", () => node.classList.toggle("pixels", Math.max(node.naturalWidth, node.naturalHeight) < PIXELS));
  node.addEventListener("error", () => node.replaceWith(make("span", "broken", "cannot be read")));
  if (size === "small") node.loading = "lazy";
  if (served) node.src = `${size}/${row}`;
  else if (item.png) node.src = `data:image/png;base64,${item.png}`;
  else return make("span", "broken", "cannot be read");
  return node;
}

function outcome(item) {
  if (item.error && (item.passages || item.drawing)) return item.kinds.slice(0, 3).join(", ") + (item.kinds[3] ? ", …" : "");
  if (item.error) return `${item.truth} → ${item.guess}`;
  if (item.suspect?.words) return item.suspect.words.join("; ");
  return item.suspect?.suggested ? `${item.truth}, likely ${item.suspect.suggested}` : item.truth;
}

function chips(item) {
  const found = item.tags.map((tag) => make("span", tag === WRONG ? "chip wrong" : "chip", tag));
  const doubted = item.suspect?.words ?? (item.suspect?.suggested ? [item.suspect.suggested] : []);
  if (item.label) found.unshift(make("span", "chip label", `label: ${brief(item.label)}`));
  else found.push(...doubted.map((one) => make("span", "chip doubt", `label? ${one}`)));
  return found;
}

// Truth and guess of an example: texts beside one another, or a drawing, which the report's own plots have made.
function content(item) {
  if (item.drawing) return new DOMParser().parseFromString(item.drawing, "text/html").body.firstChild;
  if (!item.passages) return text("blockquote", item.text ?? item.id);
  return make("dl", "passages-of", ...item.passages.flatMap((one) => {
    const node = make("dd", "", ...one.parts.map(([words, mark, says]) => part(words, mark, says, one.labelled)));
    node.dir = "auto";
    return [make("dt", "", one.name), node];
  }));
}

function part(words, mark, says, labelled) {
  if (!mark) return words;
  const node = make("mark", mark, words);
  if (says && labelled) node.append(make("small", "", says));
  else if (says) node.title = says;
  return node;
}

function text(name, words) {
  const node = make(name, "", words);
  node.dir = "auto";
  return node;
}

function brief(text) {
  return text.length > BRIEF ? `${text.slice(0, BRIEF - 1)}…` : text;
}

function drawn(item, row) {
  if (held.input === "picture") {
    const marks = make("span", "marks", ...chips(item));
    return make("li", "card", image(row, "small"), make("b", "", outcome(item)), marks);
  }
  if (held.input === "table") {
    const cells = item.cells.slice(0, MOST_COLUMNS).map((text) => make("td", "", text));
    const marks = make("td", "marks", ...chips(item));
    return make("tr", "card", make("th", "", item.id), make("td", "said", outcome(item)), marks, ...cells);
  }
  const marks = make("span", "marks", ...chips(item));
  return make("li", "card", text("b", outcome(item)), marks, content(item));
}

function build() {
  if (held.input === "table") {
    const names = ["example", "truth → guess", "tags", ...held.columns.slice(0, MOST_COLUMNS)];
    const head = make("thead", "", make("tr", "", ...names.map((name) => make("th", "", name))));
    list = make("tbody", "");
    byId("items").append(make("div", "scroll", make("table", "rows", head, list)));
  } else {
    list = make("ol", held.input === "picture" ? "pictures" : "passages");
    byId("items").append(list);
  }
  const end = make("div", "end");
  byId("items").append(end);
  const near = new IntersectionObserver((seen) => {
    if (!seen.some((one) => one.isIntersecting) || listed >= visible.length) return;
    more(listed + BATCH);
    near.unobserve(end); // it may still be near, which is seen anew only this way
    near.observe(end);
  }, { rootMargin: "1500px" });
  near.observe(end);
}

// The list, anew: what is visible, from the beginning.
function fill() {
  list.replaceChildren();
  listed = 0;
  more(BATCH);
}

function more(upTo) {
  const rows = visible.slice(listed, upTo);
  for (const row of rows) {
    if (nodes[row]) continue;
    nodes[row] = drawn(items[row], row);
    nodes[row].dataset.row = row;
    nodes[row].tabIndex = -1;
  }
  list.append(...rows.map((row) => nodes[row]));
  listed += rows.length;
}

function changed(row) {
  nodes[row]?.querySelector(".marks").replaceChildren(...chips(items[row]));
  table();
  if (row === here) look();
}

function percent(share) {
  return `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %`;
}

function table() {
  const { found, tagged } = counts();
  const item = items[here];
  const rows = [...found].map(([tag, count]) => {
    const place = categories.indexOf(tag);
    const key = tag === WRONG ? "w" : place >= 0 && place < 9 ? String(place + 1) : "";
    const button = make("button", "", tag);
    button.type = "button";
    button.setAttribute("aria-pressed", String(Boolean(item?.tags.includes(tag))));
    button.addEventListener("click", () => here >= 0 && toggle(here, tag));
    const [low, high] = wilson(count, tagged);
    const share = make("td", "", tagged ? percent(count / tagged) : "–");
    if (tagged) share.append(make("span", "small", ` ${percent(low)} to ${percent(high)}`));
    return make("tr", "", make("td", "", key ? make("kbd", "", key) : ""), make("th", "", button), make("td", "", String(count)), share);
  });
  byId("counts").replaceChildren(...rows);
  byId("tagged").textContent = `${tagged.toLocaleString("en")} of ${held.shown.toLocaleString("en")} errors tagged; shares are of those, and one may have several tags`;
  byId("no-tags").hidden = rows.length > 0;
}

// The example that is looked at, beside the list.
function look() {
  const item = items[here];
  byId("current").hidden = !item;
  if (!item) return;
  const big = byId("big");
  if (big.dataset.row !== String(here)) {
    big.dataset.row = here;
    if (held.input === "picture") big.replaceChildren(image(here, "large"));
    else if (held.input === "table") big.replaceChildren(pairs(held.columns.map((name, i) => [name, item.cells[i]])));
    else big.replaceChildren(content(item));
    byId("label").value = item.label;
    byId("label-said").textContent = "";
    big.firstChild.scrollTop = 0;
    byId("panel").scrollTop = 0;
  }
  byId("said").textContent = outcome(item);
  const facts = [["example", item.id], ...item.kinds.map((kind) => ["kind", kind]), ...item.facts];
  if (item.split !== held.split) facts.push(["split", item.split]);
  byId("facts").replaceChildren(pairs(facts));
  const doubt = item.suspect;
  const sure = doubt?.probability ? ` (${percent(Number(doubt.probability))})` : "";
  byId("doubt").hidden = !doubt;
  if (doubt?.words) byId("doubt").textContent = `Tags that may be wrong: ${doubt.words.join("; ")}${sure}`;
  else byId("doubt").textContent = doubt?.suggested ? `The label ${item.given} may be wrong; likely ${doubt.suggested}${sure}` : doubt?.why ?? "";
  byId("label").placeholder = doubt?.suggested || item.given;
  if (document.activeElement !== byId("label")) byId("label").value = item.label;
}

function pairs(rows) {
  return make("dl", "pairs", ...rows.flatMap(([name, value]) => [make("dt", "", name), make("dd", "", value)]));
}

function select(row, { focus = true } = {}) {
  if (here >= 0) {
    nodes[here].classList.remove("here");
    nodes[here].removeAttribute("aria-current");
    nodes[here].tabIndex = -1;
  }
  here = row ?? -1;
  if (here >= 0) {
    const place = visible.indexOf(here);
    if (place >= listed) more(place + BATCH);
    nodes[here].classList.add("here");
    nodes[here].setAttribute("aria-current", "true");
    nodes[here].tabIndex = 0;
    if (focus) nodes[here].focus({ preventScroll: true });
    nodes[here].scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  table();
  look();
}
