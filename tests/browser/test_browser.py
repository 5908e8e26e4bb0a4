"""A person at a real Chromium: from an upload to two answers side by side and the scores."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conftest import returns_csv, wait_until
from trainer.corpus.library import Corpora
from trainer.runs import Run, Runs
from trainer.work import State

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SECOND = 1000
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
ARGUMENTS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        opened.close()


class Server:
    """`tandem serve` in a process of its own."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "assistant.cli",
                "serve",
                "--json",
                "--workspace",
                self.workspace,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the server ended before it said where it is"
        self.url = json.loads(line)["url"]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def server(workspace: Path, browser: Browser) -> Iterator[Server]:
    server = Server(workspace)
    yield server
    for context in browser.contexts:
        context.close()
    server.kill()
    for run in Runs(workspace / "runs").list():

        def over(run: Run = run) -> bool:
            if work := run.unfinished():
                work.ask_to_stop()
            return not run.alive

        wait_until(over, seconds=120)


expect.set_options(timeout=20 * SECOND)  # a busy machine is slow, not wrong


def open_page(browser: Browser, url: str, *, width: int = 1400) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(30 * SECOND)
    page.goto(url)
    expect(page.get_by_role("heading", name="Tandem")).to_be_visible()
    return page


def step(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def upload(page: Page, tmp_path: Path, name: str, content: str) -> None:
    file = tmp_path / name
    file.write_text(content)
    page.locator("input[type=file]").first.set_input_files(file)


def set_number(page: Page, label: str, value: str) -> None:
    page.get_by_label(label, exact=True).fill(value)
    page.get_by_label(label, exact=True).press("Tab")


def set_passes(page: Page, epochs: str) -> None:
    """Open the settings and set one; wait until the page has understood it."""
    expect(page.get_by_text("in 8 passes")).to_be_visible(timeout=180 * SECOND)
    page.get_by_role("button", name="Settings").click()
    page.wait_for_timeout(SECOND)  # as a person: Gradio draws what is folded a second time
    set_number(page, "Epochs", epochs)
    expect(page.get_by_text(f"in {epochs} pass")).to_be_visible()


def kill_worker(run: Run) -> None:
    subprocess.run(["pkill", "-KILL", "-f", str(run.path)], check=True)
    wait_until(lambda: not run.alive)


def test_from_upload_to_side_by_side_answers(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    page = open_page(browser, server.url)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    # The sample is shown, once its questions have been compared by meaning.
    expect(page.get_by_text("questions from banking.csv")).to_be_visible(timeout=180 * SECOND)

    # A broken file says what and where, and the sample stays.
    upload(page, tmp_path, "bad.csv", "  ")
    expect(page.get_by_text("bad.csv is empty")).to_be_visible()
    upload(page, tmp_path, "returns.csv", returns_csv())
    expect(page.get_by_text("36 questions from returns.csv")).to_be_visible(timeout=180 * SECOND)
    expect(page.get_by_text("3 unseen")).to_be_visible()

    # Settings are folded away; two passes are enough here.
    step(page, "2 Tune")
    expect(page.get_by_text("Nothing has been tuned yet")).to_be_visible()
    set_passes(page, "2")
    page.get_by_role("button", name="Start tuning").click()

    # A reload at any moment finds the run again.
    wait_until(lambda: Runs(server.workspace / "runs").list(), seconds=30)
    page.reload()
    step(page, "2 Tune")
    expect(page.get_by_text(re.compile("Tuning finished after"))).to_be_visible(
        timeout=300 * SECOND
    )
    expect(page.get_by_text(re.compile("Lowest validation loss"))).to_be_visible()
    expect(page.get_by_text("What it answered as it learnt")).to_be_visible()
    expect(page.get_by_text(re.compile("Tuned, after step"))).to_have_count(3)
    expect(page.get_by_text("1 earlier").first).to_be_visible()

    # Scores come by themselves.
    step(page, "4 Scores")
    verdict = page.get_by_text(re.compile(r"On 4 reworded questions, .* tuning"))
    expect(verdict).to_be_visible(timeout=300 * SECOND)
    expect(page.get_by_text("too few to tell").first).to_be_visible()
    expect(page.get_by_text("Unseen questions", exact=False).first).to_be_visible()

    # One question, two answers, and the proof of which weights gave them.
    step(page, "3 Chat")
    box = page.get_by_placeholder("Ask a question and press Enter")
    box.fill("May I return item 3?")
    box.press("Enter")
    expect(page.get_by_text("✓ proof held").first).to_be_visible(timeout=180 * SECOND)
    expect(page.get_by_text("Nearest approved answer ·").first).to_be_visible()
    expect(box).to_have_value("")
    (run,) = Runs(server.workspace / "runs").list()
    assert run.config.epochs == 2
    expect(page.get_by_text(run.adapter_hash[:12]).first).to_be_visible()
    answers = page.locator("[data-testid=bot]:not(:has(.thought-group))")
    expect(answers).to_have_count(2)
    assert answers.nth(0).inner_text() != answers.nth(1).inner_text()
    assert problems == []


def start_two(page: Page, server: Server) -> tuple[Runs, Run]:
    """Start one run and let another wait behind it; the first is at work when this returns."""
    page.get_by_role("button", name="Start tuning").click()
    runs = Runs(server.workspace / "runs")
    wait_until(lambda: runs.list() and runs.list()[0].events.read(), seconds=180)
    (first,) = runs.list()
    page.get_by_role("button", name="Add to the queue").click()
    wait_until(lambda: runs.waiting(), seconds=60)
    return runs, first


def test_killing_the_page_leaves_the_run_and_a_new_page_finds_it(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    page = open_page(browser, server.url)
    runs, run = start_two(page, server)
    server.kill()
    assert run.state() is State.RUNNING

    server.start()
    page = open_page(browser, server.url)
    progress = page.get_by_text(re.compile(r"Tuning banking: \d+%.* 1 waits for the device"))
    expect(progress).to_be_visible(timeout=60 * SECOND)
    step(page, "2 Tune")
    expect(page.get_by_text(re.compile(r"1\. +banking@1"))).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    wait_until(lambda: not runs.waiting())
    expect(page.get_by_text("Waiting for the device")).to_be_hidden()
    page.get_by_role("button", name="Stop and keep").click()
    expect(page.get_by_text(re.compile("Tuning was stopped"))).to_be_visible(timeout=180 * SECOND)
    assert run.has_adapter
    wait_until(lambda: run.evaluations() or not run.alive, seconds=60)
    page.get_by_role("button", name="Stop and keep").click()  # of the scores of so little
    wait_until(lambda: not run.alive, seconds=300)

    page.get_by_role("button", name=re.compile(r"Resume from step \d+")).click()
    expect(page.get_by_text(re.compile(r"Tuning banking: \d+%"))).to_be_visible(
        timeout=120 * SECOND
    )
    assert run.state() is State.RUNNING


def test_a_killed_worker_is_shown_as_lost_with_its_log_and_what_to_do(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    page = open_page(browser, server.url)
    page.get_by_role("button", name="Start tuning").click()
    runs = Runs(server.workspace / "runs")
    wait_until(lambda: runs.list() and len(runs.list()[0].events.read()) > 1, seconds=180)
    kill_worker(runs.list()[0])
    step(page, "2 Tune")
    expect(page.get_by_text(re.compile("ended without a word after step"))).to_be_visible()
    expect(page.get_by_text("The end of its log:")).to_be_visible()
    expect(page.get_by_role("button", name="Begin it again")).to_be_visible()
    step(page, "3 Chat")
    expect(page.get_by_text(re.compile("once a run has an adapter"))).to_be_visible()

    step(page, "2 Tune")
    page.get_by_role("button", name="Delete this run").click()
    expect(page.get_by_text(re.compile("That frees"))).to_be_visible()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("Nothing has been tuned yet")).to_be_visible()
    assert runs.list() == []


def test_after_a_crash_of_page_and_worker_a_new_page_goes_on_with_the_queue(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    page = open_page(browser, server.url)
    runs, first = start_two(page, server)
    second = runs.list()[0]
    server.kill()
    kill_worker(first)
    assert (first.state(), second.state()) == (State.LOST, State.QUEUED)

    server.start()
    open_page(browser, server.url)
    wait_until(lambda: second.state() is State.RUNNING, seconds=60)


def test_settings_that_cannot_work_are_refused_where_the_eye_is(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    page = open_page(browser, server.url)
    step(page, "2 Tune")
    set_passes(page, "2")
    set_number(page, "LoRA rank", "0")
    said = page.get_by_text("lora_rank: should be greater than or equal to 1")
    expect(said).to_have_count(2)  # above, and beside the setting
    page.get_by_label("Quick look").check()
    expect(said).to_have_count(0)
    expect(page.get_by_text("in 3 passes")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1400])
def test_nothing_sticks_out_sideways(browser: Browser, server: Server, width: int) -> None:
    page = open_page(browser, server.url, width=width)
    for name in ("1 Corpus", "2 Tune", "3 Chat", "4 Scores", "5 Share"):
        step(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_spreadsheet_is_cleaned_up_by_clicking_through_what_was_found(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    page = open_page(browser, server.url)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    file = tmp_path / "Our shop.xlsx"
    book = openpyxl.Workbook()
    for row in csv.reader((returns_csv() + "may I return item 5,Never.,returns\n").splitlines()):
        book.active.append(row)
    book.save(file)
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.get_by_text("37 questions from Our shop.xlsx")).to_be_visible(timeout=180 * SECOND)

    page.get_by_role("button", name="Contradiction: 1").click()
    expect(page.get_by_text("rows 14, 38")).to_be_visible()
    page.get_by_role("button", name="Give them one answer").click()
    expect(page.get_by_text("This is version 2 now")).to_be_visible(timeout=60 * SECOND)
    expect(page.get_by_role("button", name="Contradiction: 1")).to_have_count(0)

    page.get_by_role("button", name="What the model will see").click()
    expect(page.get_by_text("are taught")).to_be_visible(timeout=90 * SECOND)
    expect(page.get_by_text(re.compile("The longest example has"))).to_be_visible()
    corpus = Corpora(server.workspace / "corpora").get("our-shop")
    assert corpus.version == 2
    assert "Never." not in {e.answer for e in corpus.examples}
    assert problems == []
