// How the page asks its server, and what comes back.

const UNREACHED = "The bot cannot be reached just now. Check the connection and try again.";
const BROKEN = "The connection broke before the answer had ended. Ask again.";

/** What a request carries. */
export const sends = (body) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

/** A request that was not granted; its message is for the visitor. */
export class Refused extends Error {
  constructor(sentence, status = 0, said = {}) {
    super(sentence);
    this.status = status;
    this.said = said;
  }
}

/** Fetch from beside this page. Throws `Refused`, and an `AbortError` where it was stopped. */
export async function call(name, options = {}) {
  const answer = await fetch(name, options).catch((error) => {
    throw error.name === "AbortError" ? error : new Refused(UNREACHED);
  });
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Refused(typeof said.detail === "string" ? said.detail : UNREACHED, answer.status, said);
}

/** Hand on each line of an answer as it comes. Throws `Refused` where it breaks off. */
export async function follow(answer, hand) {
  let last = {};
  for await (const line of lines(answer.body)) {
    last = JSON.parse(line);
    if (last.error) throw new Refused(last.error);
    hand(last);
  }
  if (!last.ended) throw new Refused(BROKEN);
}

async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read().catch((error) => {
      throw error.name === "AbortError" ? error : new Refused(BROKEN);
    });
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    yield* parts.filter((part) => part.trim());
  }
}
