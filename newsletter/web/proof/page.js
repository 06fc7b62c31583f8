// Shows what /state tells, and asks again while the page is open. The choices live in the address, so a reload keeps them.
"use strict";

const the = id => document.getElementById(id);
const choice = {view: "mail", width: "375", scheme: "light", images: "on"};
let sheet = null;

function remembered() {
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) if (name in choice) choice[name] = value;
}

function mailAddress() {
  return `/mail?scheme=${choice.scheme}&images=${choice.images}&version=${sheet.version}`;
}

// The mail is laid out at the client's own width, and made smaller only where the window is narrower.
function fit() {
  const frame = the("mail"), board = the("board"), width = Number(choice.width);
  const room = board.clientWidth - 48, scale = Math.min(1, room / width);
  frame.style.width = `${width}px`;
  const page = frame.contentDocument?.documentElement;
  frame.style.height = "0";
  const height = Math.max(page?.scrollHeight ?? 0, 400);
  frame.style.height = `${height}px`;
  frame.style.transform = scale < 1 ? `scale(${scale})` : "";
  frame.style.marginBottom = scale < 1 ? `${-height * (1 - scale)}px` : "";
  frame.style.marginLeft = scale < 1 ? "0" : "";
}

function draw() {
  for (const button of document.querySelectorAll("button")) {
    const [name, value] = Object.entries(button.dataset)[0];
    button.setAttribute("aria-pressed", String(choice[name] === value));
  }
  for (const group of document.querySelectorAll(".mail-only")) group.hidden = choice.view !== "mail";
  if (!sheet) return;
  const mail = choice.view === "mail" && !sheet.trouble, plain = choice.view !== "mail" && !sheet.trouble;
  the("board").hidden = !mail;
  the("plain").hidden = !plain;
  the("trouble").hidden = !sheet.trouble;
  the("told").textContent = sheet.trouble;
  if (plain) the("plain").textContent = {text: sheet.text, source: sheet.html, headers: sheet.headers || "There is no sender yet: set from in [sender]."}[choice.view];
  if (mail) {
    const frame = the("mail"), wanted = mailAddress();
    if (frame.dataset.shown !== wanted) {
      const top = the("board").scrollTop;
      frame.onload = () => { fit(); the("board").scrollTop = top; };
      frame.dataset.shown = wanted;
      frame.src = wanted;
    } else fit();
  }
}

function element(tag, kind, text) {
  const made = document.createElement(tag);
  made.className = kind;
  made.textContent = text;
  return made;
}

function told(finding) {
  const item = document.createElement("li"), head = element("div", "rule", "");
  head.append(element("span", `mark ${finding.severity}`, finding.severity), element("b", "", finding.rule));
  item.append(head, element("p", "where", finding.where), element("p", "", finding.message));
  if (finding.why) item.append(element("p", "why", finding.why));
  item.append(element("p", "next", finding.next));
  return item;
}

function fill() {
  delete the("mail").dataset.shown; // what was asked for under this version may have been answered from the next
  document.title = `${sheet.trouble ? "! " : ""}Issue ${sheet.issue} ${sheet.subject}`;
  the("title").textContent = `Issue ${sheet.issue}${sheet.state ? `, ${sheet.state}` : ""}`;
  the("who").textContent = sheet.name;
  the("subject").textContent = sheet.subject;
  the("preheader").textContent = sheet.preheader;
  the("findings").replaceChildren(...sheet.findings.map(told));
  const number = severity => sheet.findings.filter(finding => finding.severity === severity).length;
  const said = {block: "blocking", warn: "to look at", info: "good to know"};
  const sum = Object.keys(said).filter(number).map(severity => `${number(severity)} ${said[severity]}`).join(", ");
  the("sum").textContent = sum || (sheet.trouble ? "" : "nothing to say against it");
  the("facts").textContent = sheet.trouble ? "" : `${sheet.bytes.toLocaleString("en")} bytes of HTML; Gmail shows 102,000.`;
  draw();
}

async function ask() {
  try {
    const answer = await fetch(`/state?since=${sheet?.version ?? ""}`);
    the("gone").hidden = true;
    if (answer.status === 200) {
      sheet = await answer.json();
      fill();
    }
  } catch {
    the("gone").hidden = false;
  }
  setTimeout(ask, 700);
}

document.addEventListener("click", event => {
  const button = event.target.closest("button");
  if (!button) return;
  Object.assign(choice, button.dataset);
  history.replaceState(null, "", `#${new URLSearchParams(choice)}`);
  draw();
});
addEventListener("resize", () => sheet && draw());
remembered();
draw();
ask();
