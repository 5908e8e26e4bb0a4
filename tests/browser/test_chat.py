"""A person at a real Chromium who chats; a script stands in for the models."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from assistant.store import Store
from assistant.ui.app import build_app
from assistant.ui.chat.style import CHAT_CSS
from assistant.ui.theme import CSS, theme
from tests.app.test_chat import beside, finish
from tests.browser.test_browser import SECOND, browser, step
from tests.conftest import ScriptedChat
from trainer.config import RunConfig
from trainer.corpus.library import Corpus
from trainer.runs import Run, Runs

__all__ = ["browser"]  # a fixture
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SAYS = {
    None: "Anything **may** be so:\n\n- shoes\n- hats\n\nWho knows, said number {seed}.",
    "tuned": "Item 3 may come back within thirty days, said number {seed}.",
}
Served = Callable[[ScriptedChat], AbstractContextManager[str]]


@pytest.fixture
def served(workspace: Path, browser: Browser) -> Served:
    @contextmanager
    def _served(chat: ScriptedChat) -> Iterator[str]:
        app = build_app(workspace, chat, beside=beside)
        looks = {"theme": theme(), "css": CSS + CHAT_CSS, "footer_links": []}
        _, url, _ = app.launch(prevent_thread_lock=True, quiet=True, **looks)
        try:
            yield url
        finally:
            for context in browser.contexts:
                context.close()
            app.close()

    return _served


@pytest.fixture
def finished(run: Run) -> Run:
    return finish(run)


def chat_page(browser: Browser, url: str, *, width: int = 1400) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(60 * SECOND)
    page.goto(url)
    step(page, "3 Chat")
    left = page.get_by_label("Who answers on the left")
    expect(left).to_have_value(re.compile("base"), timeout=60 * SECOND)
    return page


def box(page: Page) -> Locator:
    return page.get_by_placeholder("Ask a question and press Enter")


def answers(page: Page, place: int) -> Locator:
    """What a column says, its notes apart."""
    column = page.locator(".talk").nth(place)
    return column.locator("[data-testid=bot]:not(:has(.thought-group))")


def notes(page: Page, place: int) -> Locator:
    return page.locator(".talk").nth(place).locator(".thought-group .title")


def ask(page: Page, question: str) -> None:
    box(page).fill(question)
    box(page).press("Enter")
    expect(page.get_by_test_id("submit-button").last).to_be_visible()
    expect(notes(page, 0).last).to_contain_text("proof held")


def open_section(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).last.click()


def test_a_key_stops_an_answer_and_what_was_said_and_typed_stays(
    browser: Browser, served: Served, finished: Run
) -> None:
    words = " ".join(f"word{n}" for n in range(600))
    with served(ScriptedChat({None: words, "tuned": words}, pace=0.1)) as url:
        page = chat_page(browser, url)
        box(page).fill("How long")
        box(page).press("Shift+Enter")
        box(page).press_sequentially("may I keep it?")
        box(page).press("Enter")
        expect(answers(page, 1).last).to_contain_text("word3")
        box(page).fill("The next question")
        page.keyboard.press("Escape")
        expect(answers(page, 1).last).to_contain_text("(stopped here)")
        expect(notes(page, 1).last).to_contain_text("proof held")
        expect(box(page)).to_have_value("The next question")
        expect(page.get_by_test_id("user").first.locator("br")).to_have_count(1)
        expect(page.get_by_test_id("user").first).to_have_text(re.compile("How long.*keep"))
        expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()


def test_an_answer_is_drawn_again_and_a_question_asked_otherwise(
    browser: Browser, served: Served, finished: Run
) -> None:
    with served(ScriptedChat(SAYS)) as url:
        page = chat_page(browser, url)
        ask(page, "How long?")
        expect(answers(page, 0).last.locator("strong")).to_have_text("may")
        expect(answers(page, 0).last.locator("li")).to_have_count(2)
        open_section(page, "Settings")
        page.get_by_label("number input for Temperature").fill("0.8")
        page.get_by_label("number input for Temperature").press("Tab")
        page.get_by_role("button", name="Regenerate").click()
        expect(page.get_by_text("Drawn again, with seed 18")).to_be_visible()
        expect(answers(page, 1).last).to_contain_text("said number 18.")
        expect(page.get_by_label("Seed").last).to_have_value("18")

        ask(page, "And then?")
        expect(answers(page, 1)).to_have_count(2)
        page.locator(".talk").nth(1).get_by_label("Edit").first.click()
        page.locator(".talk textarea").fill("How *short* may it be?")
        page.locator(".talk").nth(1).get_by_label("Submit").click()
        expect(answers(page, 1)).to_have_count(1)
        expect(page.get_by_test_id("user").first.locator("em")).to_have_text("short")


def test_a_click_copies_all_of_a_proof_and_the_answer_alone(
    browser: Browser, served: Served, finished: Run
) -> None:
    with served(ScriptedChat(SAYS)) as url:
        page = chat_page(browser, url)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        ask(page, "May I return item 3?")
        copies = page.locator(".talk").nth(1).get_by_label("Copy message")
        copied = []
        for n in range(4):
            expect(copies).to_have_count(4)  # one that was clicked is called otherwise for a while
            copies.nth(n).click()
            page.wait_for_timeout(SECOND)  # the browser writes it in its own time
            copied.append(page.evaluate("navigator.clipboard.readText()"))
        assert copied[1] == "Item 3 may come back within thirty days, said number 17."
        assert "approved: 14 days" in copied[2]
        for told in ("adapter sha256: ", "temperature: 0", "weights checked: yes", "words/s"):
            assert told in copied[3]
        notes(page, 1).first.click()
        expect(page.locator(".talk blockquote")).to_have_text("Item 1 may come back within 1 days.")


def test_a_reload_finds_the_conversation_and_the_list_finds_others(
    browser: Browser, served: Served, finished: Run, workspace: Path
) -> None:
    with served(ScriptedChat(SAYS)) as url:
        page = chat_page(browser, url)
        ask(page, "May I return a parrot?")
        page.get_by_role("button", name="New conversation").click()
        expect(page.get_by_test_id("user")).to_have_count(0)
        page.get_by_role("button", name="is item", exact=False).first.click()
        expect(notes(page, 0).last).to_contain_text("proof held")
        page.wait_for_timeout(SECOND)  # the browser remembers in its own time
        page.reload()
        step(page, "3 Chat")
        expect(page.get_by_test_id("user").first).to_contain_text("is item")

        open_section(page, "Conversations")
        expect(page.get_by_label("May I return a parrot?")).to_be_visible()
        page.get_by_label("Find").fill("RETURN parrot")
        page.get_by_label("Find").press("Enter")
        expect(page.locator(".items label")).to_have_count(1)
        page.get_by_label("May I return a parrot?").check()
        expect(page.get_by_test_id("user").first).to_contain_text("May I return a parrot?")
        name = page.get_by_label("Name of the one shown")
        expect(name).to_have_value("May I return a parrot?")
        name.fill("Item three")
        page.get_by_role("button", name="Rename").last.click()
        expect(page.get_by_label("Item three")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download as JSONL").last.click()
        lines = Path(download.value.path()).read_text().splitlines()
        assert [json.loads(line)["messages"][-1]["role"] for line in lines] == ["assistant"] * 2

        page.get_by_role("button", name="Delete", exact=True).last.click()
        page.get_by_role("button", name="Delete for good").last.click()
        expect(page.get_by_test_id("user")).to_have_count(0)
        assert len(Store.in_workspace(workspace).conversations()) == 1


def test_a_blind_vote_and_a_correction_end_in_a_new_version_of_the_corpus(
    browser: Browser, served: Served, finished: Run, workspace: Path
) -> None:
    with served(ScriptedChat(SAYS)) as url:
        page = chat_page(browser, url)
        page.get_by_label("Blind").check()
        expect(page.locator(".head b").first).to_have_text("A")
        box(page).fill("May I return a canoe?")
        box(page).press("Enter")
        expect(answers(page, 0)).to_have_count(1)
        expect(page.get_by_text("Which answer is better?")).to_be_visible()
        expect(notes(page, 0)).to_have_count(0)
        page.get_by_role("button", name="Left is better").click()
        expect(page.get_by_text("Your vote: Left is better")).to_be_visible()
        expect(page.get_by_text("✓ proof held")).to_have_count(2)

        page.get_by_role("button", name="Correct this answer").click()
        right = page.get_by_label("The right answer to “May I return a canoe?”")
        expect(right).to_have_value("Item 1 may come back within 1 days.")
        right.fill("No canoe comes back.")
        page.get_by_role("button", name="Save the right answer").click()
        expect(right).to_be_hidden()
        open_section(page, "Questions to answer")
        page.get_by_role("button", name="Add 1 answer to returns").click()
        expect(page.get_by_text("returns@2 has them")).to_be_visible(timeout=120 * SECOND)
        page.get_by_role("button", name="Continue tuning, in step 2").click()
        expect(page.get_by_role("heading", name="The run")).to_be_visible()
        step(page, "3 Chat")
        open_section(page, "Votes")
        expect(page.get_by_text("1 blind vote that decided")).to_be_visible()


def test_two_adapters_or_one_alone_can_be_chosen(
    browser: Browser,
    served: Served,
    finished: Run,
    runs: Runs,
    config: RunConfig,
    corpus: Corpus,
) -> None:
    other = finish(runs.create(config, corpus.split))
    with served(ScriptedChat(SAYS)) as url:
        page = chat_page(browser, url)
        page.get_by_label("Who answers on the left").click()
        page.get_by_role("option").nth(2).click()
        expect(page.locator(".head code")).to_have_count(2)
        ask(page, "How long?")
        expect(notes(page, 0).last).to_contain_text(finished.id[18:])
        expect(notes(page, 1).last).to_contain_text(other.id[18:])
        page.get_by_label("and on the right").click()
        page.get_by_role("option", name="nobody").click()
        expect(page.locator(".talk:visible")).to_have_count(1)
        expect(page.get_by_test_id("user")).to_have_count(0)


def test_on_a_phone_the_columns_are_two_tabs_over_one_box(
    browser: Browser, served: Served, finished: Run
) -> None:
    with served(ScriptedChat(SAYS)) as url:
        page = chat_page(browser, url, width=390)
        ask(page, "May I return item 3?")
        shown = page.locator(".talk:visible")
        expect(shown).to_have_count(1)
        expect(shown).to_contain_text("Anything may be so")
        page.get_by_label("Right", exact=True).check()
        expect(shown).to_contain_text("thirty days")
        expect(shown).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_is_said_runs_nothing_and_fetches_nothing(
    browser: Browser, served: Served, finished: Run
) -> None:
    bad = '<img src="http://spy.example/a.png" onerror="boom=1"> ![b](http://spy.example/b.png)'
    with served(ScriptedChat({None: bad, "tuned": f"[x](javascript:boom=1) {bad}"})) as url:
        page = chat_page(browser, url)
        fetched: list[str] = []
        page.on("request", lambda request: fetched.append(request.url))
        ask(page, bad)
        page.wait_for_timeout(SECOND)
        assert [address for address in fetched if "spy" in address] == []
        assert page.evaluate("typeof boom") == "undefined"
        assert page.locator(".talk a[href^=javascript]").count() == 0
        expect(page.locator(".talk").first).to_contain_text("<\N{WORD JOINER}img src=")
