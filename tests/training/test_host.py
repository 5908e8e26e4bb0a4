"""The host that chats with one copy of the weights, and proves which of them answered."""

import gc
import json
import random
import shutil
import threading
import weakref
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file, save_file

from assistant.conversation import Answer, Asked, ChatSettings, Message, Side
from assistant.host import ModelHost
from tests.training.conftest import tune
from trainer.errors import DeviceBusy, ModelError
from trainer.locks import Lock
from trainer.runs import Run, Runs
from trainer.words import at_work

QUESTION: list[Message] = [{"role": "user", "content": "May I return item 3?"}]
SHORT = ChatSettings(most_new_tokens=12)


@pytest.fixture(scope="module")
def other(tuned: Run, tiny_model: Path) -> Run:
    return tune(tuned.path.parent.parent, tiny_model, answer="No for {n}")


@pytest.fixture(scope="module")
def alone(tuned: Run, other: Run) -> dict[Side, str]:
    """What each says in a host of its own: what tells the weights apart."""
    sides = [base_of(tuned), side(tuned), side(other)]
    said = {one: answer(ModelHost(Runs(tuned.path.parent)), one) for one in sides}
    assert len(set(said.values())) == 3, "or nobody could tell them apart"
    return said


@pytest.fixture
def host(tuned: Run) -> ModelHost:
    return ModelHost(Runs(tuned.path.parent))


def side(run: Run) -> Side:
    return Side(base=run.config.base, run=run.id)


def base_of(run: Run) -> Side:
    return Side(base=run.config.base)


def answers(host: ModelHost, *sides: Side, settings: ChatSettings = SHORT) -> Sequence[Answer]:
    asked = [Asked(side, QUESTION, settings) for side in sides]
    *_, last = host.answer(asked, threading.Event())
    return last


def answer(host: ModelHost, one: Side) -> str:
    return answers(host, one)[0].text


def test_each_side_answers_with_its_own_weights_and_says_which(
    host: ModelHost, tuned: Run, alone: dict[Side, str]
) -> None:
    base, own = answers(host, base_of(tuned), side(tuned))
    assert base.proof
    assert own.proof
    assert (base.proof.adapter, own.proof.adapter) == (None, tuned.adapter_hash)
    assert (base.proof.run, own.proof.run) == (None, tuned.id)
    assert base.proof.proven
    assert base.proof.settings == SHORT
    assert (base.text, own.text) == (alone[base_of(tuned)], alone[side(tuned)])
    assert answer(host, base_of(tuned)) == base.text, "and the switch leaves no trace"
    for proof in (base.proof, own.proof):
        assert 0 <= proof.first_word <= proof.seconds
        assert proof.tokens > 0


def test_words_appear_as_they_come(host: ModelHost, tuned: Run) -> None:
    asked = [Asked(one, QUESTION, SHORT) for one in (base_of(tuned), side(tuned))]
    seen = list(host.answer(asked, threading.Event()))
    assert {answer.doing for answer in seen[0]} <= {"loading the base model"}
    for place in (0, 1):
        texts = [step[place].text for step in seen]
        grown = list(dict.fromkeys(texts))
        assert len(grown) > 3
        assert all(b.startswith(a) for a, b in pairwise(grown))
    assert [bool(answer.proof) for answer in seen[-1]] == [True, True]


def test_two_adapters_answer_against_each_other_on_one_base(
    host: ModelHost, tuned: Run, other: Run, alone: dict[Side, str]
) -> None:
    one, two = answers(host, side(tuned), side(other))
    assert (one.text, two.text) == (alone[side(tuned)], alone[side(other)])
    assert one.proof
    assert two.proof
    assert [one.proof.adapter, two.proof.adapter] == [tuned.adapter_hash, other.adapter_hash]


def test_ten_visitors_at_once_get_the_answers_of_the_adapters_they_asked(
    host: ModelHost, tuned: Run, other: Run, alone: dict[Side, str]
) -> None:
    wrong: list[object] = []

    def visit(seed: int) -> None:
        draw = random.Random(seed)
        for _ in range(4):
            pair = draw.choices(list(alone), k=draw.choice((1, 2)))
            asked = [Asked(one, QUESTION, SHORT) for one in pair]
            reading = host.answer(asked, threading.Event())
            if draw.random() < 0.2:
                next(reading)
                reading.close()  # closes the tab in the middle
                continue
            *_, last = reading
            for one, said in zip(pair, last, strict=True):
                hash_ = {tuned.id: tuned.adapter_hash, other.id: other.adapter_hash}
                carried = said.proof.adapter if said.proof else "no proof"
                if said.text != alone[one] or carried != (hash_[one.run] if one.run else None):
                    wrong.append((one, said))

    visitors = [threading.Thread(target=visit, args=(seed,)) for seed in range(10)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(60)
        assert not visitor.is_alive()
    assert wrong == []


def test_whoever_waits_sees_how_many_are_before(host: ModelHost, tuned: Run) -> None:
    with host._line.turn():
        first = host.answer([Asked(side(tuned), QUESTION, SHORT)], threading.Event())
        assert next(first)[0].doing == "waiting: one question is before this one"
        second = host.answer([Asked(base_of(tuned), QUESTION, SHORT)], threading.Event())
        assert next(second)[0].doing == "waiting: 2 questions are before this one"
    assert [bool([*one][-1][0].proof) for one in (second, first)] == [True, True]


def test_a_stop_keeps_what_was_said_and_says_so(host: ModelHost, tuned: Run) -> None:
    endless = ChatSettings(most_new_tokens=400, temperature=2, seed=3)
    stop, seen = threading.Event(), []
    for step in host.answer([Asked(base_of(tuned), QUESTION, endless)], stop):
        seen.append(step[0])
        if step[0].text:
            stop.set()
    assert seen[-1].proof
    assert seen[-1].proof.ended == "stopped"
    assert seen[-1].text
    assert seen[-1].proof.tokens < 400


def test_a_reader_who_leaves_in_the_middle_does_not_leave_anybody_waiting(
    host: ModelHost, tuned: Run
) -> None:
    leaving = host.answer([Asked(side(tuned), QUESTION, SHORT)], threading.Event())
    next(leaving)
    leaving.close()
    forgotten = host.answer([Asked(side(tuned), QUESTION, SHORT)], threading.Event())
    next(forgotten)
    assert answer(host, base_of(tuned))


def test_whoever_leaves_the_queue_is_not_answered(host: ModelHost, tuned: Run) -> None:
    gone = threading.Event()
    with host._line.turn():
        waiting = host.answer([Asked(side(tuned), QUESTION, SHORT)], gone)
        next(waiting)
        gone.set()
        assert [step for step in waiting if step[0].proof] == []
    assert answer(host, base_of(tuned))


def test_sides_of_different_bases_are_refused(host: ModelHost, tuned: Run) -> None:
    with pytest.raises(ModelError, match="one copy of the weights"):
        answers(host, side(tuned), Side(base="bundled:pocket"))
    elsewhere = Side(base="bundled:pocket", run=tuned.id)
    with pytest.raises(ModelError, match="was tuned on another base than 'bundled:pocket'"):
        answers(host, elsewhere)
    assert answer(host, base_of(tuned)), "and the chat goes on"


def test_an_adapter_that_changes_nothing_does_not_answer(tuned: Run, tmp_path: Path) -> None:
    copy = copied(tuned, tmp_path)
    file = copy.adapter / "adapter_model.safetensors"
    save_file({k: torch.zeros_like(v) for k, v in load_file(file).items()}, file)
    host = ModelHost(Runs(copy.path.parent))
    with pytest.raises(ModelError, match="cannot be switched on and off cleanly"):
        answer(host, side(copy))
    assert answer(host, base_of(copy)), "the base is whole again"


def test_an_adapter_that_became_part_of_the_base_is_noticed(host: ModelHost, tuned: Run) -> None:
    said = answer(host, base_of(tuned))
    assert answer(host, side(tuned)) != said
    held = host._held
    assert held
    held.base.model.merge_adapter()
    with pytest.raises(ModelError, match="has become part of the base"):
        answer(host, base_of(tuned))
    assert answer(host, base_of(tuned)) == said, "and the next answer is by a base loaded anew"


def test_an_adapter_that_changed_on_the_disk_is_loaded_anew(
    tuned: Run, other: Run, alone: dict[Side, str], tmp_path: Path
) -> None:
    copy = copied(tuned, tmp_path)
    host = ModelHost(Runs(copy.path.parent))
    assert answer(host, side(copy)) == alone[side(tuned)]
    shutil.copy(other.adapter / "adapter_model.safetensors", copy.adapter)
    (said,) = answers(host, side(copy))
    assert said.text == alone[side(other)]
    assert said.proof
    assert said.proof.adapter == other.adapter_hash


def test_a_broken_adapter_is_refused_in_words(tuned: Run, tmp_path: Path) -> None:
    copy = copied(tuned, tmp_path)
    (copy.adapter / "adapter_model.safetensors").write_bytes(b"not weights")
    host = ModelHost(Runs(copy.path.parent))
    with pytest.raises(ModelError, match=f"The adapter of '{copy.id}' cannot be loaded"):
        answer(host, side(copy))


def change(run: Run, **settings: object) -> None:
    """Change the configuration of an adapter."""
    file = run.adapter / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))


def weights(
    run: Run, changed: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]
) -> None:
    """Change the weights of an adapter."""
    file = run.adapter / "adapter_model.safetensors"
    save_file(changed(load_file(file)), file)


def test_an_adapter_that_breaks_half_way_leaves_nothing_of_it_on_the_base(
    tuned: Run, alone: dict[Side, str], tmp_path: Path
) -> None:
    copy = copied(tuned, tmp_path)
    change(copy, init_lora_weights=False, rank_pattern={"layers.1.mlp.down_proj": "x"})
    host = ModelHost(Runs(copy.path.parent))
    with pytest.raises(ModelError, match="cannot be loaded"):
        answer(host, side(copy))
    assert answer(host, base_of(copy)) == alone[base_of(tuned)]


def test_an_adapter_that_is_added_otherwise_is_another_one(tuned: Run, tmp_path: Path) -> None:
    copy = copied(tuned, tmp_path)
    host = ModelHost(Runs(copy.path.parent))
    (before,) = answers(host, side(copy))
    change(copy, lora_alpha=640)
    (after,) = answers(host, side(copy))
    assert before.proof
    assert after.proof
    assert before.proof.adapter != after.proof.adapter
    assert host._held
    model = host._held.base.model
    (scaling,) = {
        m.scaling[copy.id] for m in model.modules() if isinstance(getattr(m, "scaling", None), dict)
    }
    assert scaling == 640 / copy.config.lora_rank, "it was loaded anew"


def test_an_adapter_with_half_of_its_weights_or_without_numbers_does_not_answer(
    tuned: Run, tmp_path: Path
) -> None:
    copy = copied(tuned, tmp_path)
    host = ModelHost(Runs(copy.path.parent))
    weights(copy, lambda whole: dict(list(whole.items())[::2]))
    with pytest.raises(ModelError, match="of its weights are missing from its file"):
        answer(host, side(copy))
    shutil.copy(tuned.adapter / "adapter_model.safetensors", copy.adapter)
    weights(copy, lambda whole: {name: value * float("nan") for name, value in whole.items()})
    with pytest.raises(ModelError, match="cannot be switched on and off cleanly"):
        answer(host, side(copy))


def copied(run: Run, tmp_path: Path) -> Run:
    shutil.copytree(run.path.parent.parent, tmp_path / "workspace")
    return Run(tmp_path / "workspace" / "runs" / run.id)


def test_unloading_frees_the_memory(tmp_path: Path, tuned: Run) -> None:
    host = ModelHost(Runs(tmp_path / "runs"))
    pocket = Side(base="bundled:pocket")
    asked = [Asked(pocket, QUESTION, SHORT)]
    list(host.answer(asked, threading.Event()))
    held = weakref.ref(host._held.base.model) if host._held else None
    assert held
    gc.collect()
    before = psutil.Process().memory_info().rss
    host.unload()
    assert held() is None
    freed = before - psutil.Process().memory_info().rss
    weights = 15e6  # 2 bytes each of nine million, less what others share with it
    assert freed > weights, f"{freed / 1e6:.0f} MB"
    assert answer(host, pocket), "and the chat comes back by itself"


def test_on_a_gpu_the_chat_waits_for_a_worker_and_makes_room_for_one(
    tuned: Run, tmp_path: Path
) -> None:
    device = Lock(tmp_path / "cuda-0.lock")
    host = ModelHost(Runs(tuned.path.parent), device=device, who=lambda: at_work(tuned))
    with device.claim(), pytest.raises(DeviceBusy, match=r"being scored.* The chat waits"):
        answer(host, base_of(tuned))
    answer(host, base_of(tuned))
    assert device.held, "a worker cannot start beside a base on the same GPU"
    host.make_room()
    assert not device.held
    assert answer(host, base_of(tuned)), "and the chat comes back by itself"


def test_a_base_that_cannot_be_loaded_leaves_the_gpu_to_others(tuned: Run, tmp_path: Path) -> None:
    device = Lock(tmp_path / "cuda-0.lock")
    host = ModelHost(Runs(tuned.path.parent), device=device)
    with pytest.raises(ModelError):
        answer(host, Side(base=str(tmp_path)))
    assert not device.held
