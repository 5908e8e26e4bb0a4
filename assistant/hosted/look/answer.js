// What stands under a question: a column for each that answers, its text as it grows, and
// what can be done with it. Whatever was said is shown as text, never as HTML.

import { call, sends } from "./calls.js";

const copyOf = (id) => document.getElementById(id).content.cloneNode(true).firstElementChild;

/** Say something to a screen reader, once. */
function announce(words) {
  const said = document.getElementById("said");
  if (said.textContent !== words) said.textContent = words;
}

/** A question and a column for each that answers it. */
export class Exchange {
  constructor(question, names) {
    this.element = copyOf("exchange");
    this.element.querySelector(".asked").textContent = question;
    this.columns = names.map((name) => column(name, names.length > 1));
    this.element.querySelector(".columns").append(...this.columns);
  }

  get begun() {
    return this.columns.some((each) => each.querySelector(".says").textContent);
  }

  /** Show how far the answers are; at the end, what can be done with them. */
  grow({ doing, texts, ended, beside, receipt }) {
    const page = document.documentElement;
    const low = page.scrollHeight - window.innerHeight - window.scrollY < 80;
    this.columns.forEach((each, place) => {
      each.querySelector(".says").textContent = texts[place];
      note(each, texts[place] ? "" : ended ? "(it said nothing)" : doing || "");
      if (!ended) return;
      if (beside && beside[place]) unsure(each, beside[place]);
      offer(each, receipt, place);
    });
    if (doing) announce(doing);
    if (ended) this.close(this.columns.map(spoken).join("\n"));
    if (low) window.scrollTo(0, page.scrollHeight);
  }

  /** Keep what was said by an answer that did not end by itself. */
  breakOff(why) {
    for (const each of this.columns) note(each, why);
    this.close(why);
  }

  close(words) {
    for (const each of this.columns) each.querySelector(".says").setAttribute("aria-busy", false);
    announce(words);
  }
}

function column(name, several) {
  const made = copyOf("column");
  if (several) {
    const base = name.startsWith("Base");
    made.classList.add(base ? "base" : "tuned");
    made.querySelector(".who").textContent = `${base ? "○" : "◆"} ${name}`;
  } else made.querySelector(".who").remove();
  return made;
}

function note(each, words) {
  each.querySelector(".doing").textContent = words;
}

/** What a screen reader says when an answer has ended. */
function spoken(each) {
  const parts = [".who", ".says", ".unsure:not([hidden])"].map((part) => each.querySelector(part));
  return parts.map((part) => part && part.textContent).filter(Boolean).join(": ");
}

/** Say that an answer strays, and show the approved one that comes nearest. */
function unsure(each, near) {
  each.querySelector(".why").textContent = near.why;
  each.querySelector(".near-question").textContent = near.question;
  each.querySelector(".near-question").hidden = !near.question;
  each.querySelector(".near-answer").textContent = near.answer;
  each.querySelector(".unsure").hidden = false;
}

/** Let an answer be rated, with a word on what is wrong, and copied. */
function offer(each, receipt, place) {
  const find = (part) => each.querySelector(part);
  const [up, down, form, noted] = [".up", ".down", ".comment", ".noted"].map(find);
  const words = form.querySelector("textarea");

  async function rate(good, thanks) {
    try {
      const comment = good ? "" : words.value.trim();
      await call("rate", sends({ receipt, column: place, good, comment }));
    } catch (error) {
      noted.textContent = error.message;
      return false;
    }
    up.setAttribute("aria-pressed", good);
    down.setAttribute("aria-pressed", !good);
    noted.textContent = thanks;
    return true;
  }

  up.addEventListener("click", async () => {
    if (await rate(true, "Noted: helpful.")) form.hidden = true;
  });
  down.addEventListener("click", async () => {
    if (!(await rate(false, "Noted: not helpful."))) return;
    form.hidden = false;
    form.scrollIntoView({ block: "nearest" });
    words.focus({ preventScroll: true });
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await rate(false, "Noted. Thank you.")) form.hidden = true;
  });
  find(".copy").addEventListener("click", async () => {
    noted.textContent = (await copy(find(".says"))) ? "Copied." : "Select the answer to copy it.";
  });
  find(".acts").hidden = false;
}

/** Copy a text; where the page came without TLS, browsers know only the old way. */
async function copy(element) {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(element.textContent).then(
      () => true,
      () => false,
    );
  }
  window.getSelection().selectAllChildren(element);
  return document.execCommand("copy");
}
