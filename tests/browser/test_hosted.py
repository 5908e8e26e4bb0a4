"""A visitor at a real Chromium, behind a shared link; a script stands in for the models."""

import base64
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from assistant.access import hash_password
from assistant.conversation import Answer, FindBeside, Side
from assistant.store import Store
from tests.browser.test_browser import SECOND, browser
from tests.conftest import ScriptedChat
from tests.links import beside, finish
from tests.served import Served, hosting
from trainer.errors import ModelError
from trainer.runs import Run

__all__ = ["browser"]  # a fixture
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SAYS = {None: "Anything may be so.", "tuned": "Item 3 may come back\n\nwithin thirty days."}
LOOK = {
    "title": "Helper of the shop",
    "greeting": "Hello. Ask me what may come back.",
    "about": "A small model, tuned on answers of the shop. It makes mistakes.",
    "examples": ["May I return item 3?", "Is a parrot returnable?"],
    "colour": "#1d4ed8",
}
SEEN = """(element) => {
  const { x, bottom } = element.getBoundingClientRect();
  return document.elementFromPoint(x + 9, bottom - 9) === element;
}"""
Open = Callable[..., AbstractContextManager[Served]]


@pytest.fixture
def served(workspace: Path, browser: Browser) -> Open:
    @contextmanager
    def _served(chat: ScriptedChat, find: FindBeside | None = None) -> Iterator[Served]:
        with hosting(workspace, chat, find) as served:
            yield served
            for context in browser.contexts:
                context.close()

    return _served


@pytest.fixture
def finished(run: Run) -> Run:
    return finish(run)


def link(served: Served, run: Run, *, base: bool = True, **known: object) -> str:
    tuned = Side(base="bundled:pocket", run=run.id)
    sides = (tuned.bare, tuned) if base else (tuned,)
    return served.link(**{"sides": sides, "look": LOOK, **known})


class Visit:
    """A page that is being visited, and whatever it did that it should not."""

    def __init__(
        self, browser: Browser, served: Served, token: str, *, width: int = 1400, **known: object
    ) -> None:
        context = browser.new_context(viewport={"width": width, "height": 900}, **known)
        self.page = context.new_page()
        self.page.set_default_timeout(30 * SECOND)
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url, served.url))
        self.page.on("console", lambda message: self._said(message.text))
        self.page.goto(f"{served.url}/c/{token}/")

    def _asked(self, url: str, here: str) -> None:
        if not url.startswith(here):
            self.wrong.append(f"asks {url}")

    def _said(self, words: str) -> None:
        if "Content Security Policy" in words or "Refused" in words:
            self.wrong.append(words)


def box(page: Page):
    return page.get_by_label("Your question")


def ask(page: Page, question: str) -> None:
    box(page).fill(question)
    box(page).press("Enter")


@pytest.mark.parametrize("width", [1400, 390])
def test_a_visitor_waits_reads_and_says_what_is_wrong(
    browser: Browser, served: Open, finished: Run, workspace: Path, width: int
) -> None:
    chat = ScriptedChat(SAYS, pace=0.3, doing="waiting: 3 questions are before this one")
    with served(chat, beside(similarity=0.4)) as here:
        token = link(here, finished, unsure_below=0.6)
        visit = Visit(browser, here, token, width=width)
        page = visit.page
        expect(page).to_have_title("Helper of the shop")
        expect(page.get_by_text("It makes mistakes.")).to_be_visible()
        page.get_by_role("button", name="May I return item 3?").click()
        expect(page.get_by_text("3 questions are before").first).to_be_visible()
        tuned = page.locator(".column.tuned")
        expect(tuned.locator(".says")).to_have_text(re.compile("^Item 3 may$"))
        expect(page.get_by_role("button", name="Stop")).to_be_visible()
        expect(tuned.locator(".says")).to_have_text(re.compile("within thirty days"))
        expect(page.locator("#said")).to_contain_text("Tuned: Item 3")
        unsure = tuned.get_by_text("I am not sure")
        expect(unsure).to_be_visible()
        expect(tuned.locator("blockquote")).to_contain_text("14 days.")
        expect(page.locator(".column.base blockquote")).to_be_hidden()

        heads = [page.locator(f".column.{who} .who").bounding_box() for who in ("base", "tuned")]
        assert (heads[0]["y"] == heads[1]["y"]) == (width == 1400), "beside, or one below the other"
        assert page.evaluate("document.documentElement.scrollWidth") <= width

        tuned.get_by_role("button", name="Not helpful").click()
        words = tuned.get_by_label("What is wrong with it?")
        expect(words).to_be_focused()
        assert words.evaluate(SEEN), "behind the foot"
        words.fill("It is fourteen days.")
        tuned.get_by_role("button", name="Send").click()
        expect(tuned.get_by_text("Noted. Thank you.")).to_be_visible()
        expect(words).to_be_hidden()
        (wrong,) = Store.in_workspace(workspace).open_questions(finished.config.corpus)
        assert (wrong.question, wrong.comment) == ("May I return item 3?", "It is fourteen days.")
        use = here.links.use(here.links.list()[0].id)
        assert (use.asked, use.unsure, use.down) == (1, 1, 1)
        assert visit.wrong == []


def test_a_password_is_asked_for_and_everything_goes_by_keyboard(
    browser: Browser, served: Open, finished: Run
) -> None:
    with served(ScriptedChat(SAYS)) as here:
        token = link(here, finished, base=False, password=hash_password("sesame"))
        visit = Visit(browser, here, token)
        page, keys = visit.page, visit.page.keyboard
        expect(page.get_by_label("Password")).to_be_focused()
        expect(page.get_by_role("heading", name="Helper of the shop")).to_be_visible()
        keys.type("open")
        keys.press("Enter")
        expect(page.get_by_role("alert").filter(has_text="not right")).to_be_visible()
        keys.type("sesame")
        keys.press("Enter")
        expect(box(page)).to_be_focused()
        keys.type("May I?")
        keys.press("Shift+Enter")
        keys.type("Today?")
        keys.press("Enter")
        expect(page.locator(".says").last).to_contain_text("thirty days")
        expect(page.locator(".asked")).to_have_text("May I?\nToday?")
        expect(box(page)).to_be_focused()
        expect(page.locator(".who")).to_have_count(0)  # one column needs no name
        for _ in range(3):
            keys.press("Shift+Tab")
        expect(page.get_by_role("button", name="Helpful", exact=True)).to_be_focused()
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        keys.press("Enter")
        expect(page.get_by_text("Noted: helpful.")).to_be_visible()
        page.reload()
        expect(box(page)).to_be_visible()  # let in for a while
        assert visit.wrong == []


def test_a_link_that_was_taken_back_says_so_and_nothing_typed_is_lost(
    browser: Browser, served: Open, finished: Run
) -> None:
    with served(ScriptedChat(SAYS)) as here:
        token = link(here, finished)
        visit = Visit(browser, here, token)
        expect(box(visit.page)).to_be_visible()
        here.links.revoke(here.links.list()[0].id)
        ask(visit.page, "May I?")
        expect(visit.page.get_by_role("alert")).to_contain_text("taken back")
        expect(box(visit.page)).to_have_value("May I?")
        expect(visit.page.locator("article")).to_have_count(0)
        visit.page.reload()
        expect(visit.page.get_by_role("alert")).to_contain_text("taken back")
        expect(box(visit.page)).to_be_hidden()
        forged = Visit(browser, here, token[:-3] + "AAA")
        expect(forged.page.get_by_role("alert")).to_contain_text("no such link")
        assert visit.wrong + forged.wrong == []


def test_what_anybody_wrote_is_text_and_loads_nothing(
    browser: Browser, served: Open, finished: Run
) -> None:
    bad = '<img src="http://spy.example/a.png" onerror="boom=1"><script>boom=1</script> **b** &amp;'
    near = beside(similarity=0.1, question=bad, answer=bad)
    picture = BytesIO()
    Image.new("RGB", (64, 64), "red").save(picture, "PNG")
    look = LOOK | {name: bad for name in ("greeting", "about")} | {"title": bad[:80]}
    look |= {"examples": [bad], "logo": base64.b64encode(picture.getvalue()).decode()}
    with served(ScriptedChat({None: bad, "tuned": bad}, doing=bad), near) as here:
        visit = Visit(browser, here, link(here, finished, look=look, unsure_below=0.6))
        page = visit.page
        page.get_by_role("button", name="<img").click()
        for part in ("#greeting", "#about", ".asked", ".says", ".near-answer", ".near-question"):
            expect(page.locator(part).last).to_have_text(bad)
        assert page.locator("main img, main script, footer img").count() == 0
        assert page.evaluate("document.querySelector('#logo').naturalWidth") == 64
        assert page.evaluate("typeof boom") == "undefined"
        assert visit.wrong == []


def test_escape_stops_an_answer_and_what_was_said_and_typed_stays(
    browser: Browser, served: Open, finished: Run
) -> None:
    words = " ".join(f"word{n}" for n in range(600))
    chat = ScriptedChat({None: words, "tuned": words}, pace=0.05)
    with served(chat) as here:
        visit = Visit(browser, here, link(here, finished))
        page = visit.page
        ask(page, "How long?")
        expect(page.locator(".says").last).to_contain_text("word3")
        box(page).fill("The next question")
        box(page).press("Enter")  # not yet
        page.keyboard.press("Escape")
        expect(page.get_by_text("(stopped here)").last).to_be_visible()
        expect(page.locator(".says").last).to_contain_text("word3")
        expect(box(page)).to_have_value("The next question")
        expect(page.locator("article")).to_have_count(1)
        chat.says, chat.pace = SAYS, 0
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator(".says").last).to_contain_text("thirty days")
        expect(box(page)).to_be_focused()  # the button that had it is gone
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.get_by_role("button", name="Copy").last.click()
        expect(page.get_by_text("Copied.")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == SAYS["tuned"]
        assert visit.wrong == []


class Failing(ScriptedChat):
    """A chat that says a word and then what went wrong."""

    def answer(self, asked, stop):
        yield tuple(Answer("Well") for _ in asked)
        raise ModelError("/srv/base/model.safetensors is cut short.")


def test_what_goes_wrong_stands_at_the_box_and_the_question_comes_back(
    browser: Browser, served: Open, finished: Run
) -> None:
    with served(Failing(SAYS)) as here:
        limits = {"per_minute": 1, "characters": 40}
        visit = Visit(browser, here, link(here, finished, limits=limits))
        page, trouble = visit.page, visit.page.get_by_role("alert")
        ask(page, "May I?")
        expect(trouble).to_have_text(
            "The bot cannot answer at this moment. Tell whoever gave you the link."
        )
        expect(page.get_by_text("(broke off here)").last).to_be_visible()
        expect(box(page)).to_have_value("May I?")
        box(page).press("Enter")
        expect(trouble).to_contain_text("Wait")
        expect(box(page)).to_have_value("May I?")
        expect(page.locator("article")).to_have_count(1)
        ask(page, "🦊" * 41)
        expect(page.get_by_text("41 of 40 characters: make it shorter")).to_be_visible()
        expect(page.get_by_role("button", name="Ask", exact=True)).to_be_disabled()
        box(page).fill("🦊" * 40)
        expect(page.get_by_role("button", name="Ask", exact=True)).to_be_enabled()
        page.route("**/ask", lambda route: route.abort())
        box(page).press("Enter")
        expect(trouble).to_contain_text("cannot be reached")
        expect(box(page)).to_have_value("🦊" * 40)


CONTRASTS = """() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((c) => c / 255).map((c) =>
      c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(each).backgroundColor);
      if (a) return [r, g, b];
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll("body *")]
    .filter((each) => each.checkVisibility() && !each.disabled)
    .filter((each) => [...each.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .map((each) => {
      const [a, b] = [parse(getComputedStyle(each).color).slice(0, 3), behind(each)].map(light);
      return [each.textContent.trim(), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
    });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_can_be_read_whatever_accent_a_link_has(
    browser: Browser, served: Open, finished: Run, scheme: str
) -> None:
    with served(ScriptedChat(SAYS), beside(similarity=0.4)) as here:
        for colour in ("#ffee00", "#777777", "#1d4ed8", "#000000"):
            token = link(here, finished, look=LOOK | {"colour": colour}, unsure_below=0.6)
            page = Visit(browser, here, token, color_scheme=scheme).page
            ask(page, "May I?")
            page.get_by_role("button", name="Not helpful").last.click()
            expect(page.get_by_text("Noted: not helpful.")).to_be_visible()
            read = page.evaluate(CONTRASTS)
            assert len(read) > 15
            assert [words for words, contrast in read if contrast < 4.5] == []
            paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (paper == "rgb(255, 255, 255)") == (scheme == "light")


def test_at_twice_the_size_nothing_sticks_out_and_nothing_is_hidden(
    browser: Browser, served: Open, finished: Run
) -> None:
    word = "Donaudampfschifffahrtsgesellschaft" * 3
    with served(ScriptedChat({None: word, "tuned": word}), beside(similarity=0.4)) as here:
        token = link(here, finished, look=LOOK | {"title": word[:80]}, unsure_below=0.6)
        page = Visit(browser, here, token, width=320).page  # 640 pixels at 200%
        page.set_viewport_size({"width": 320, "height": 450})
        ask(page, word)
        page.get_by_role("button", name="Not helpful").last.click()
        words = page.get_by_label("What is wrong with it?").last
        expect(words).to_be_focused()
        assert words.evaluate(SEEN), "behind the foot"
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_browser_keeps_nothing_but_a_cookie_for_the_pages_of_the_link(
    browser: Browser, served: Open, finished: Run
) -> None:
    with served(ScriptedChat(SAYS)) as here:
        page = Visit(browser, here, link(here, finished)).page
        ask(page, "May I?")
        expect(page.locator(".says").last).to_contain_text("thirty days")
        assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
        (cookie,) = page.context.cookies()
        assert cookie["path"].startswith("/c/")
        assert cookie["httpOnly"]
        assert cookie["expires"] == -1
