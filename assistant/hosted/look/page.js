// The page behind a shared link: it lets a visitor in and takes the questions.

import { Exchange } from "./answer.js";
import { call, follow, sends } from "./calls.js";

const byId = (id) => document.getElementById(id);
const question = byId("question");

let bot = null; // what the link says of its bot, once the visitor is in
let asking = null; // what ends the answer that is being written

function show(element, text) {
  element.textContent = text;
  element.hidden = !text;
}

// ---- Opening ----

async function open() {
  try {
    bot = await (await call("bot")).json();
  } catch (error) {
    if (error.status === 401) askWho(error.said);
    else close(error.message);
    return;
  }
  wear(bot.title, bot.colour);
  byId("logo").hidden = !bot.logo;
  if (bot.logo) byId("logo").src = "logo";
  show(byId("greeting"), bot.greeting);
  show(byId("about"), bot.about);
  show(byId("kept"), bot.kept);
  byId("examples").replaceChildren(...bot.examples.map(example));
  reveal("talk");
  measure();
  question.focus({ preventScroll: true });
}

/** Show one of these: the door, the conversation, or why there is neither. */
function reveal(shown) {
  for (const id of ["opening", "closed", "gate", "talk"]) byId(id).hidden = id !== shown;
  byId("foot").hidden = shown !== "talk";
}

function close(sentence) {
  wear("This bot cannot be opened", "");
  reveal("closed");
  show(byId("closed"), sentence);
}

/** Take the link's name and accent. What is written on the accent is black or white: AA on any. */
function wear(title, colour) {
  document.title = title || "Ask";
  byId("title").textContent = document.title;
  if (!/^#[0-9a-f]{6}$/i.test(colour || "")) return;
  const [red, green, blue] = [1, 3, 5]
    .map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue; // WCAG 2.2
  const { style } = document.documentElement;
  style.setProperty("--accent", colour);
  style.setProperty("--on-accent", luminance > 0.179 ? "#000000" : "#ffffff");
}

function example(words) {
  const [item, button] = [document.createElement("li"), document.createElement("button")];
  button.type = "button";
  button.dir = "auto";
  button.textContent = words;
  button.addEventListener("click", () => ask(words));
  item.append(button);
  return item;
}

// ---- The door ----

function askWho({ title, colour, needs }) {
  wear(title, colour);
  reveal("gate");
  const login = needs === "login";
  byId("gate-user").hidden = !login;
  byId("gate-says").textContent = login
    ? "Log in to talk to this bot."
    : "This bot opens with a password. Whoever gave you the link knows it.";
  byId("gate").elements[login ? "user" : "password"].focus();
}

byId("gate").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { user, password } = event.target.elements;
  const button = event.target.querySelector("button");
  const trouble = event.target.querySelector(".trouble");
  show(trouble, "");
  button.disabled = true;
  try {
    await call("enter", sends({ user: user.value, password: password.value }));
    password.value = "";
    await open();
  } catch (error) {
    show(trouble, error.message);
    password.select();
  } finally {
    button.disabled = false;
  }
});

// ---- Asking ----

/** Let the box grow with the question, and say how long it may be once that matters. */
function measure() {
  question.style.height = "auto";
  question.style.height = `${question.scrollHeight + 2}px`;
  const [long, most] = [[...question.value.trim()].length, bot.characters];
  const over = long > most;
  byId("length").textContent =
    long < most * 0.8 ? "" : `${long} of ${most} characters${over ? ": make it shorter" : ""}`;
  question.setAttribute("aria-invalid", over);
  byId("send").disabled = over;
  return long > 0 && !over;
}

question.addEventListener("input", measure);
question.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId("ask").requestSubmit();
});
byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  if (asking || !measure()) return;
  const asked = question.value.trim();
  question.value = "";
  measure();
  ask(asked);
});
byId("stop").addEventListener("click", () => asking?.abort());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") asking?.abort();
});

async function ask(asked) {
  const exchange = new Exchange(asked, bot.columns);
  byId("exchanges").append(exchange.element);
  exchange.element.scrollIntoView();
  show(byId("trouble"), "");
  asking = new AbortController();
  busy(true);
  try {
    const answer = await call("ask", { ...sends({ question: asked }), signal: asking.signal });
    await follow(answer, (told) => exchange.grow(told));
  } catch (error) {
    const stopped = error.name === "AbortError";
    const { begun } = exchange;
    if (begun) exchange.breakOff(stopped ? "(stopped here)" : "(broke off here)");
    else exchange.element.remove();
    if (!stopped || !begun) giveBack(asked);
    if (!stopped) explain(error);
  } finally {
    asking = null;
    busy(false);
  }
}

function busy(is) {
  const held = document.activeElement;
  byId("send").hidden = is;
  byId("stop").hidden = !is;
  for (const button of byId("examples").querySelectorAll("button")) button.disabled = is;
  if (held.hidden || held.disabled) question.focus(); // or the keyboard would be lost
}

/** Put a question that was not answered back into the box, unless another stands there. */
function giveBack(asked) {
  question.value ||= asked;
  measure();
}

function explain(error) {
  if (error.status === 401) {
    open(); // the visitor was let in a long time ago, or with another password
    return;
  }
  show(byId("trouble"), error.message);
  question.focus();
}

open();
