// Keys for those who review many patterns. Everything they do can be done with links, forms and the Tab key as well.
"use strict";

const links = () => [...document.querySelectorAll(".row h2 a")];
const currentRow = () => document.activeElement?.closest(".row");

function move(step) {
  const all = links();
  const here = all.findIndex((link) => link.closest(".row") === currentRow());
  const next = here < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(here + step, 0), all.length - 1);
  all[next]?.focus();
}

function decide(action) {
  const link = currentRow()?.querySelector("h2 a");
  if (link) {
    const target = new URL(link.href);
    target.searchParams.set("decide", action);
    location.assign(target);
    return;
  }
  reveal(document.getElementById(action));
}

function reveal(panel) {
  if (!(panel instanceof HTMLDetailsElement) || !panel.classList.contains("action")) return;
  for (const other of document.querySelectorAll("details.action")) other.open = other === panel;
  panel.querySelector("textarea").focus();
}

function help() {
  const panel = document.getElementById("help");
  panel.open = !panel.open;
  if (panel.open) panel.querySelector("summary").focus();
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  x: () => currentRow()?.querySelector("input[type=checkbox]")?.click(),
  a: () => decide("approve"),
  r: () => decide("reject"),
  d: () => decide("defer"),
  "/": () => document.getElementById("q")?.focus(),
  "?": help,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
  event.preventDefault();
  KEYS[event.key]();
});

document.getElementById("problem")?.focus();
