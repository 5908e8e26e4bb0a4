"""The cards of exports: what they say, what their buttons do, and that one can be stopped."""

import subprocess
import sys
import zipfile

import pytest

from assistant.ui.share.exports import act, cards_view, pack
from tests.conftest import wait_until
from trainer.errors import ConfigError, NotFound
from trainer.export.checked import Checked, Parting
from trainer.export.making import Makings, export_folder
from trainer.runs import Run

MADE = """
import json, os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # which tests in the background lack
run, folder, kind = sys.argv[1:]
print(json.dumps({"doing": "writing " + kind, "share": 0.5}), flush=True)
print("a library says something", flush=True)
"""
STAYS = MADE + "time.sleep(60)"
FAILS = MADE + "print(json.dumps({'error': 'No room for <it>.'}), flush=True); sys.exit(1)"
BREAKS = MADE + "raise ValueError('a bug')"
LEAVE = "os.makedirs(folder); open(folder + '/check.json', 'w').write({!r})"


def maker(script: str) -> Makings:
    return Makings(("-c", script))


@pytest.fixture
def learnt(run: Run) -> Run:
    run.adapter.mkdir()
    (run.adapter / "adapter_model.safetensors").write_bytes(b"weights")
    return run


def test_without_an_adapter_the_cards_say_what_to_do_first(run: Run) -> None:
    assert "Tune first" in cards_view(run, Makings())
    assert "Tune first" in cards_view(None, Makings())
    with pytest.raises(NotFound, match="has no adapter"):
        Makings().begin(run, "adapter")


def test_a_card_shows_how_far_its_export_is_and_then_how_it_answered(learnt: Run) -> None:
    parting = Parting(
        words=2, preview_says="<b>", preview_chance=0.4, export_says="no", export_chance=0.39
    )
    checked = Checked(kind="adapter", asked=20, partings=(parting,), spoke="a test")
    makings = maker(MADE + LEAVE.format(checked.model_dump_json()))
    assert 'data-press="make adapter"' in cards_view(learnt, makings)
    act(learnt, "make", "adapter", makings, lambda: None)
    making = makings.last(learnt, "adapter")
    assert making
    assert making.wait(20)
    shown = cards_view(learnt, makings)
    assert "19 of 20 answers equal the preview" in shown
    assert "'&lt;b&gt;'" in shown or "&#x27;&lt;b&gt;&#x27;" in shown
    assert "<b>'" not in shown
    assert 'data-press="pack adapter"' in shown


def test_an_export_in_the_making_is_shared_and_can_be_stopped(learnt: Run) -> None:
    rooms: list[int] = []
    makings = maker(STAYS)
    act(learnt, "make", "gguf", makings, lambda: rooms.append(1))
    making = makings.last(learnt, "gguf")
    assert making
    assert makings.begin(learnt, "gguf") is making
    wait_until(lambda: making.share == 0.5)
    shown = cards_view(learnt, makings)
    assert "writing gguf: 50%" in shown
    assert 'data-press="stop gguf"' in shown
    act(learnt, "stop", "gguf", makings, lambda: None)
    assert making.wait(20)
    assert rooms == [1]
    assert 'data-press="make gguf"' in cards_view(learnt, makings)


@pytest.mark.parametrize(
    ("script", "said"), [(FAILS, "No room for &lt;it&gt;."), (BREAKS, "ValueError: a bug")]
)
def test_an_export_that_fails_says_why_on_its_card(learnt: Run, script: str, said: str) -> None:
    makings = maker(script)
    assert makings.begin(learnt, "merged").wait(20)
    shown = cards_view(learnt, makings)
    assert said in shown
    assert "Try again" in shown


def test_a_press_names_a_known_kind_of_a_known_run_and_nothing_else(learnt: Run) -> None:
    for run, what, kind, error in (
        (None, "make", "adapter", NotFound),
        (learnt, "make", "../../etc", NotFound),
        (learnt, "delete", "adapter", ConfigError),
        (learnt, "stop", "adapter", ConfigError),
        (learnt, "pack", "adapter", NotFound),
    ):
        with pytest.raises(error):
            act(run, what, kind, Makings(), lambda: None)


def test_a_packed_export_holds_all_its_files(learnt: Run) -> None:
    folder = export_folder(learnt, "adapter")
    (folder / "inner").mkdir(parents=True)
    (folder / "check.json").write_text(Checked(kind="adapter").model_dump_json())
    (folder / "inner" / "weights").write_bytes(b"123")
    with zipfile.ZipFile(pack(learnt, "adapter")) as packed:
        assert packed.namelist() == [
            "adapter/check.json",
            "adapter/inner/",
            "adapter/inner/weights",
        ]
        assert packed.read("adapter/inner/weights") == b"123"


def test_the_page_learns_of_exports_without_a_framework() -> None:
    code = "import sys, assistant.ui.share.exports as e; print('torch' in sys.modules, e.KINDS)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("False")
