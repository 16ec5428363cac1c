"use strict";
// One answer at a time. Each change is sent to the server, which writes it into person.csv; a second change waits until the first is saved.

const at = id => document.getElementById(id);
let questions = [];
let shown = null; // the question
let chosen = -1; // its number
let number = 0; // of the answer in it
let saving = null; // the request that is on its way
let unsaved = null; // the answer whose entries the server does not have yet
let timer = 0; // of the comment

const ENDED = "the program has ended. Start python -m gdl mark again and open its new address.";

// The status and the content of a reply; the status is 0 if there is none.
async function ask(path, body) {
  const options = body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {};
  try {
    const reply = await fetch(path, options);
    return [reply.status, await reply.json()];
  } catch {
    return [0, { error: ENDED }];
  }
}

function say(trouble) {
  at("trouble").textContent = trouble;
  at("trouble").hidden = !trouble;
}

function state(words) {
  at("state").textContent = words;
}

const here = () => shown.answers[number];
const marked = () => shown.answers.filter(answer => answer.points !== "").length;

async function start() {
  const [status, found] = await ask("questions");
  if (status !== 200) return say(`The questions cannot be read: ${found.error}`);
  questions = found;
  if (!questions.length) return say("There are no answers to mark: person.csv has no row for a question.");
  for (const [index, question] of questions.entries()) at("question").add(new Option("", index));
  label();
  const first = questions.findIndex(question => question.marked < question.answers);
  await choose(Math.max(first, 0));
}

function label() {
  for (const [index, question] of questions.entries()) {
    at("question").options[index].text = `${question.title} (${question.marked} of ${question.answers})`;
  }
}

async function choose(index) {
  const [status, found] = await ask(`question/${questions[index].exercise}/${questions[index].name}`);
  if (status !== 200) {
    at("question").value = chosen;
    return say(`The question cannot be read: ${found.error}`);
  }
  [shown, chosen] = [found, index];
  at("question").value = index;
  for (const part of ["model", "rubric", "notes"]) at(part).innerHTML = shown[part]; // made safe by the server
  at("text").innerHTML = shown.question;
  at("notes-part").hidden = !shown.notes;
  at("points").replaceChildren(...Array.from({ length: Math.floor(2 * shown.max) + 1 }, (_, half) => pointsButton(String(half / 2))));
  document.querySelector("main").hidden = false;
  const first = shown.answers.findIndex(answer => answer.points === "");
  show(Math.max(first, 0));
}

function pointsButton(points) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = points;
  button.setAttribute("role", "radio");
  button.addEventListener("click", () => give(points));
  return button;
}

function show(index) {
  number = index;
  const answer = here();
  at("answer").innerHTML = answer.html; // made safe by the server
  at("why").textContent = answer.why;
  at("why").hidden = !answer.why;
  const pictures = [];
  for (let k = 0; k < answer.pictures; k++) {
    const picture = new Image();
    picture.alt = `Picture ${k + 1} of the notebook`;
    picture.src = `picture/${answer.identity}/${k}`;
    pictures.push(picture);
  }
  at("pictures").replaceChildren(...pictures);
  at("comment").value = answer.comment;
  at("left").scrollTop = 0;
  window.scrollTo(0, 0);
  refresh();
}

function refresh() {
  const answer = here();
  at("place").textContent = `Answer ${number + 1} of ${shown.answers.length}, ${shown.answers.length - marked()} without points`;
  for (const button of at("points").children) button.setAttribute("aria-checked", String(button.textContent === answer.points));
  const comments = [...new Set(shown.answers.filter(one => one !== answer).map(one => one.comment).filter(Boolean))].sort();
  at("earlier").hidden = !comments.length;
  at("comments").replaceChildren(...comments.map(commentButton));
  questions[chosen].marked = marked();
  label();
}

function commentButton(words) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words;
  button.addEventListener("click", () => {
    at("comment").value = [at("comment").value.trim(), words].filter(Boolean).join("\n");
    entered();
  });
  return button;
}

function give(points) {
  here().points = points;
  entered();
}

function entered() {
  const answer = here();
  answer.comment = at("comment").value;
  refresh();
  unsaved = answer;
  return save();
}

// Sends what is not saved. Returns whether the file now holds what was entered.
async function save() {
  clearTimeout(timer);
  while (saving) await saving;
  if (!unsaved) return true;
  const answer = unsaved;
  const { identity, points, comment, revision } = answer;
  const entry = `${points || "no"} points${comment ? `, ${comment}` : ""}`;
  state("Saving …");
  saving = ask("save", { identity, points, comment, revision });
  const [status, reply] = await saving;
  saving = null;
  if (status === 200) {
    answer.revision = reply.revision;
    if (answer.points === points && answer.comment === comment) unsaved = null;
    say("");
    state("Saved");
    return unsaved ? save() : true;
  }
  state("");
  if (status === 0) {
    say(`Not saved: ${ENDED} Only this entry is missing there: ${entry}.`);
    timer = setTimeout(save, 2000);
  } else if (status === 409) {
    Object.assign(answer, reply);
    unsaved = null;
    say(`Not saved: this answer was marked elsewhere in the meantime, with ${reply.points || "no"} points, which are shown now. `
      + `You had entered ${entry}. Enter it again to replace what is there.`);
    if (answer === here()) show(number);
  } else {
    say(`Not saved: ${reply.error}`);
  }
  return false;
}

// Takes over what another window has saved.
async function renew() {
  if (!shown || unsaved || saving) return;
  const index = chosen;
  const [status, found] = await ask(`question/${questions[index].exercise}/${questions[index].name}`);
  if (status !== 200 || unsaved || chosen !== index) return;
  const before = here();
  shown.answers = found.answers;
  number = Math.max(shown.answers.findIndex(answer => answer.identity === before.identity), 0);
  at("comment").value = here().comment;
  refresh();
}

async function move(index) {
  if (index < 0 || index >= shown.answers.length) return;
  if (await save()) show(index);
}

function nextOpen() {
  const order = shown.answers.map((_, k) => (number + 1 + k) % shown.answers.length);
  const open = order.find(k => shown.answers[k].points === "" && k !== number);
  if (open !== undefined) return move(open);
  return save().then(saved => saved && state(here().points === "" ? "" : "All answers to this question have points."));
}

function half(points) {
  const value = Number(points) % 1 ? Math.floor(Number(points)) : Number(points) + 0.5;
  return String(Math.min(value, shown.max));
}

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || !shown || at("help").open) return;
  if (event.target === at("comment")) {
    if (event.key === "Escape") at("comment").blur();
    return;
  }
  if (event.target === at("question")) return;
  const digit = /^[0-9]$/.test(event.key) && Number(event.key) <= shown.max;
  const actions = {
    ".": () => give(half(here().points || "0")), ",": () => give(half(here().points || "0")),
    Backspace: () => give(""), Enter: nextOpen, ArrowRight: () => move(number + 1), ArrowLeft: () => move(number - 1),
    c: () => at("comment").focus(), "?": () => at("help").showModal(),
  };
  const action = digit ? () => give(event.key) : Object.hasOwn(actions, event.key) ? actions[event.key] : null;
  if (!action || event.key === "Enter" && ["BUTTON", "SUMMARY"].includes(event.target.tagName) && !event.target.closest("#points")) return;
  event.preventDefault();
  action();
});
at("comment").addEventListener("input", () => {
  here().comment = at("comment").value;
  unsaved = here();
  state("…");
  clearTimeout(timer);
  timer = setTimeout(() => entered(), 600);
});
at("comment").addEventListener("blur", () => unsaved && entered());
at("previous").addEventListener("click", () => move(number - 1));
at("next").addEventListener("click", () => move(number + 1));
at("open").addEventListener("click", nextOpen);
at("help-button").addEventListener("click", () => at("help").showModal());
at("marks").addEventListener("submit", event => event.preventDefault());
at("question").addEventListener("change", async () => {
  const index = Number(at("question").value);
  if (await save()) await choose(index);
  at("question").blur();
});
window.addEventListener("focus", renew);
window.addEventListener("beforeunload", event => unsaved && event.preventDefault());
start();
