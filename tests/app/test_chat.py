"""Step 3 as a browser sees it: through its endpoints."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio_client import Client

from assistant.conversation import Beside
from assistant.store import Store
from assistant.ui.app import build_app
from tests.conftest import ScriptedChat, wait_until
from tests.process.test_launch import WORKER
from trainer.config import RunConfig
from trainer.corpus.library import Corpus
from trainer.events import Finished
from trainer.facts.flag import Flag
from trainer.runs import Run, Runs

Serve = Callable[[gr.Blocks], AbstractContextManager[Client]]
BASE = "nf4 bundled:pocket"


@pytest.fixture
def chat() -> ScriptedChat:
    return ScriptedChat({None: "Who knows **what**", "tuned": "Within thirty days of now"})


def beside(corpus: Corpus, question: str, answer: str) -> Beside | None:
    flag = Flag(kind="number", said="thirty days", approved="14 days")
    near = corpus.examples[0]
    far = "weather" in question
    return Beside(
        question=near.question, answer=near.answer, similarity=0.86, flags=(flag,), far=far
    )


@pytest.fixture
def app(workspace: Path, chat: ScriptedChat) -> gr.Blocks:
    return build_app(workspace, chat, beside=beside, worker=WORKER)


@pytest.fixture
def page(app: gr.Blocks, serve: Serve) -> Iterator[Client]:
    with serve(app) as client:
        yield client


@pytest.fixture
def store(workspace: Path) -> Store:
    return Store.in_workspace(workspace)


def finish(run: Run) -> Run:
    run.adapter.mkdir()
    (run.adapter / "adapter_model.safetensors").write_bytes(run.id.encode())
    run.events.append(Finished(seconds=1, step=9))
    return run


@pytest.fixture
def finished(run: Run) -> Run:
    return finish(run)


def ask(page: Client, question: str, left: str = BASE, right: str = "", **more: Any) -> Any:
    given: dict[str, Any] = {"question": question, "left": left, "right": right, "blind": False}
    return page.predict(**given | more, api_name="/ask")


def said(messages: Any) -> list[str]:
    return [message["content"][0]["text"] for message in messages]


def titles(messages: Any) -> list[str]:
    return [m["metadata"]["title"] for m in messages if m["metadata"]]


def test_one_question_gets_two_answers_each_with_its_proof(
    page: Client, finished: Run, store: Store
) -> None:
    _, head, left, right, box = ask(page, "How long?", right=finished.id)
    print(left)
    assert said(left)[:2] == ["How long?", "Who knows **what**"]
    assert said(right)[:2] == ["How long?", "Within thirty days of now"]
    (proof,) = titles(left)
    near, tuned = titles(right)
    assert "no adapter" in proof
    assert "proof held" in proof
