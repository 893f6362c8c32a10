// What is done: keys, filters, fields; and the beginning.
const MARKED = {
  all: () => true,
  untagged: (item) => !item.tags.length,
  tagged: (item) => item.tags.length > 0,
  doubted: (item) => item.suspect !== null,
  corrected: (item) => item.label !== "",
};

function filter() {
  const kind = byId("kind").value;
  const which = byId("which").value;
  const fits = which.startsWith("tag ") ? (item) => item.tags.includes(which.slice(4)) : MARKED[which];
  visible = [];
  items.forEach((item, row) => {
    const shown = fits(item) && (kind === "" || item.kinds.includes(kind.slice(5)));
    if (shown) visible.push(row);
  });
  fill();
  byId("shown").textContent = `${visible.length.toLocaleString("en")} shown`;
  byId("nothing").hidden = visible.length > 0;
  select(visible.includes(here) ? here : visible[0], { focus: false });
}

// A choice of tags to filter by, as they are now; what was chosen stays.
function choices() {
  const which = byId("which");
  const chosen = which.value;
  which.querySelectorAll("option[value^='tag ']").forEach((one) => one.remove());
  for (const [tag, count] of counts().found) which.append(option(`tag ${tag}`, `${tag} (${count})`));
  which.value = chosen;
  if (which.selectedIndex < 0) which.value = "all";
}

function option(value, text) {
  const node = make("option", "", text);
  node.value = value;
  return node;
}

function step(by) {
  if (!visible.length) return;
  const place = visible.indexOf(here);
  select(visible[Math.min(visible.length - 1, Math.max(0, place + by))]);
}

// How many stand in a row, where they stand in a grid.
function across() {
  if (held.input !== "picture" || visible.length < 2) return 1;
  const top = nodes[visible[0]].offsetTop;
  const next = visible.slice(0, listed).findIndex((row) => nodes[row].offsetTop !== top);
  return next < 0 ? visible.length : next;
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  ArrowRight: () => step(1),
  ArrowLeft: () => step(-1),
  ArrowDown: () => step(across()),
  ArrowUp: () => step(-across()),
  Home: () => step(-visible.length),
  End: () => step(visible.length),
  w: () => here >= 0 && toggle(here, WRONG),
  t: () => byId("tag").focus(),
  c: () => {
    const field = byId("label");
    field.value = items[here]?.label || items[here]?.suspect?.suggested || "";
    field.focus();
    field.select();
  },
  u: () => {
    byId("which").value = byId("which").value === "untagged" ? "all" : "untagged";
    filter();
  },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, select, textarea")) {
    if (event.key === "Escape") back();
    return;
  }
  const tag = /^[1-9]$/u.test(event.key) ? categories[Number(event.key) - 1] : undefined;
  if (tag !== undefined && here >= 0) toggle(here, tag);
  else if (Object.hasOwn(KEYS, event.key)) KEYS[event.key]();
  else return;
  event.preventDefault();
});

function back() {
  byId("tag").value = "";
  byId("label").value = items[here]?.label ?? "";
  byId("label-said").textContent = "";
  if (here >= 0) nodes[here].focus({ preventScroll: true });
}

byId("tag").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  for (const tag of event.target.value.split(";").map(clean).filter(Boolean)) {
    if (here >= 0 && !items[here].tags.includes(tag)) toggle(here, tag);
  }
  back();
  event.preventDefault();
});

byId("label").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || here < 0) return;
  const wrong = correct(here, event.target.value.trim());
  if (wrong) byId("label-said").textContent = wrong;
  else back();
  event.preventDefault();
});

byId("items").addEventListener("click", (event) => {
  const node = event.target.closest("[data-row]");
  if (node) select(Number(node.dataset.row));
});
byId("which").addEventListener("pointerdown", choices);
byId("which").addEventListener("focus", choices);
for (const id of ["kind", "which"]) {
  byId(id).addEventListener("change", (event) => {
    filter();
    event.target.blur();
  });
}
byId("save").addEventListener("click", saveTags);
byId("save-labels").addEventListener("click", saveLabels);
window.addEventListener("beforeunload", (event) => {
  if (waiting.size) event.preventDefault();
});

if (!served) recall();
for (const item of items) item.tags.forEach(learn);
const often = counts().found;
categories.sort((a, b) => (often.get(b) ?? 0) - (often.get(a) ?? 0));
const kinds = new Map();
for (const item of items) for (const kind of item.kinds) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
for (const [kind, count] of [...kinds].sort((a, b) => b[1] - a[1])) byId("kind").append(option(`kind ${kind}`, `${kind} (${count})`));
for (const name of held.classes ?? []) byId("classes").append(option(name, ""));
for (const one of byId("which").querySelectorAll("option")) {
  if (one.value === "doubted") one.hidden = !items.some(MARKED.doubted);
}
build();
filter();
state();
document.body.dataset.ready = "true";
