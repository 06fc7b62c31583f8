// Keys, dragging, and forms that put the page's new text in the place of the old. Every page works without it.
"use strict";

const text = () => document.getElementById("text");

let typing = 0; // the wait until the previews show words that were typed

// Puts what the desk answers in the place of what is shown; a session that is over leads to the door.
async function swap(address, options) {
  const held = document.activeElement, item = held?.closest(".items li")?.dataset.item, key = held?.dataset.key;
  text().classList.add("busy");
  const answer = await fetch(address, options);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("text");
  if (!fresh || !page.querySelector(".bar nav")) return location.assign(answer.url);
  clearTimeout(typing); // the previews that come are of words that are kept
  const told = document.getElementById("told"), words = fresh.querySelector("#told");
  document.title = page.title;
  for (const old of [...text().childNodes]) if (old !== told) old.remove();
  told.setAttribute("role", words.getAttribute("role"));
  told.replaceChildren(...words.childNodes);
  words.remove();
  text().append(...fresh.childNodes);
  text().classList.remove("busy");
  if (answer.redirected) history.replaceState(null, "", answer.url);
  begin(true);
  const again = document.querySelector(`.items li[data-item="${item}"]`);
  (again?.querySelector(`[data-key="${key}"]`) ?? again?.querySelector("a"))?.focus();
}

document.addEventListener("submit", event => {
  const form = event.target;
  if (!form.matches("[data-swap]")) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  swap(event.submitter?.formAction || form.action, {method: "POST", body}).catch(() => form.submit());
});

// The inbox: one story is the one that keys are about.
let place = 0;
const stories = () => [...document.querySelectorAll(".stories > li")];

function go(to, focused = true) {
  const all = stories();
  if (!all.length) return;
  place = Math.max(0, Math.min(to, all.length - 1));
  all.forEach((story, number) => story.classList.toggle("here", number === place));
  if (!focused) return;
  all[place].querySelector("h2").focus({preventScroll: true});
  all[place].scrollIntoView({block: "nearest"});
}

const press = (where, name) => where?.querySelector(`[data-key="${name}"]`)?.click();

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const field = event.target.closest("input, textarea, select"), all = stories();
  if (field) {
    if (field.matches(".why") && event.key === "Enter") { event.preventDefault(); press(all[place], "dismiss"); }
    if (event.key === "Escape") { field.blur(); go(place); }
    return;
  }
  const item = event.target.closest(".items li");
  if (item && event.key === "K") return press(item, "up");
  if (item && event.key === "J") return press(item, "down");
  if (event.key === "u") return press(document, "undo");
  if (!all.length) return;
  const does = {
    j: () => go(place + 1), k: () => go(place - 1), s: () => press(all[place], "shortlist"),
    z: () => press(all[place], "snooze"), b: () => press(all[place], "begin"),
    d: () => { event.preventDefault(); all[place].querySelector(".why")?.select(); },
  };
  does[event.key]?.();
});

document.addEventListener("focusin", event => {
  const story = event.target.closest(".stories > li");
  if (story && stories()[place] !== story) {
    place = stories().indexOf(story);
    stories().forEach(each => each.classList.toggle("here", each === story));
  }
});

// The items of an issue: an item that is dropped on another takes its place.
let dragged = null;
const target = event => event.target.closest?.(".items li[draggable]");
document.addEventListener("dragstart", event => { dragged = target(event); });
document.addEventListener("dragend", () => { dragged = null; });
document.addEventListener("dragover", event => {
  if (!dragged) return;
  event.preventDefault();
  for (const each of document.querySelectorAll(".items li")) each.classList.toggle("over", each === target(event));
});
document.addEventListener("drop", event => {
  const there = target(event), form = document.getElementById("order");
  if (!dragged || !there || there === dragged) return;
  event.preventDefault();
  there.before(dragged);
  form.elements.order.value = [...document.querySelectorAll(".items li")].map(each => each.dataset.item).join(",");
  form.requestSubmit();
});

// The previews show words as they are typed: each in a new frame, which takes the old one's place when it is there.
document.addEventListener("input", event => {
  const form = event.target.form;
  if (!form?.matches("[data-preview]")) return;
  clearTimeout(typing);
  typing = setTimeout(() => document.querySelectorAll(".frames figure").forEach(figure => show(form, figure)), 500);
});

function show(form, figure) {
  const [old, ...late] = figure.querySelectorAll("iframe"), frame = old.cloneNode();
  for (const each of late) each.remove();
  frame.removeAttribute("src");
  frame.name = `${frame.className}-${Date.now()}`;
  frame.hidden = true;
  figure.append(frame);
  const copy = form.cloneNode(true);
  Object.assign(copy, {action: form.dataset.preview, target: frame.name, hidden: true});
  document.body.append(copy);
  frame.addEventListener("load", () => { old.remove(); frame.hidden = false; });
  copy.submit();
  copy.remove();
}

// What changes by itself is asked for again and again, as long as it says so.
function follow() {
  const part = document.querySelector("[data-follow]");
  if (!part || part.dataset.followed) return;
  part.dataset.followed = "yes";
  setTimeout(async () => {
    try {
      const answer = await fetch(part.dataset.follow);
      if (answer.redirected) return location.assign(answer.url);
      const fresh = document.createElement("template");
      fresh.innerHTML = await answer.text();
      part.replaceWith(fresh.content);
      if (!document.querySelector("[data-follow]")) location.reload(); // it goes on no more: other buttons fit now
    } catch { delete part.dataset.followed; }
    follow();
  }, 2000);
}

function begin(focused) {
  go(place, focused);
  follow();
}
begin(false);
