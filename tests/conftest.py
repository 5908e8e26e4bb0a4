"""What every test may ask for: a workspace, a corpus, a tiny model, real files, a served page."""

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from assistant.conversation import Answer, Asked, Proof
from trainer.config import RunConfig
from trainer.corpus.library import Corpora, Corpus
from trainer.runs import Run, Runs

if "PYTEST_XDIST_WORKER" in os.environ:  # beside another, one a core: one thread each
    os.environ.setdefault("OMP_NUM_THREADS", "1")
SHARED = Path(__file__).parent.parent.parent / "shared"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Where TANDEM_NO_SKIP is set, as in CI, a skipped test is a failed one."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("TANDEM_NO_SKIP"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and TANDEM_NO_SKIP is set: {report.longrepr}"


def wait_until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "still waiting"
        time.sleep(0.02)


def returns_csv(
    answers: int = 12, wordings: int = 3, answer: str = "Item {n} may come back within {n} days."
) -> str:
    """A small FAQ in which every answer has several wordings."""
    asked = ["May I return item {n}?", "is item {n} returnable", "Send back number {n}, how long?"]
    rows = [
        f'"{asked[w].format(n=n)}","{answer.format(n=n)}",returns'
        for n in range(1, answers + 1)
        for w in range(wordings)
    ]
    return "question,answer,topic\n" + "\n".join(rows) + "\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def corpora(workspace: Path) -> Corpora:
    return Corpora(workspace / "corpora")


@pytest.fixture(scope="session")
def returns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of `returns_csv` as the library keeps it, to be copied: reading takes a process."""
    folder = tmp_path_factory.mktemp("returns")
    file = folder / "returns.csv"
    file.write_text(returns_csv())
    return Corpora(folder / "corpora").add(file).path.parent


@pytest.fixture
def corpus(corpora: Corpora, returns: Path) -> Corpus:
    shutil.copytree(returns, corpora.root / "returns")
    return corpora.get("returns")


@pytest.fixture
def runs(workspace: Path) -> Runs:
    return Runs(workspace / "runs")


@pytest.fixture
def config(corpus: Corpus) -> RunConfig:
    return RunConfig(base="bundled:pocket", corpus=corpus.name, version=corpus.version)


@pytest.fixture
def run(runs: Runs, config: RunConfig, corpus: Corpus) -> Run:
    return runs.create(config, corpus.split)


@pytest.fixture
def shared() -> Path:
    """Real files that are not ours to copy."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not there: it holds real FAQ files and tokenizers")
    return SHARED


class ScriptedChat:
    """Whoever a test lets answer: each side says its own words, one by one, and proves it.

    `pace` is how long a word takes, and `doing` what is done before the first one.
    """

    def __init__(self, says: Mapping[str | None, str], *, pace: float = 0, doing: str = "") -> None:
        self.says, self.pace, self.doing = says, pace, doing
        self.heard: list[Sequence[Asked]] = []
        self.left = 0  # how many answers were broken off by whoever listened

    def answer(self, asked: Sequence[Asked], stop: threading.Event) -> Iterator[tuple[Answer, ...]]:
        self.heard.append(asked)
        try:
            if self.doing:
                yield tuple(Answer(doing=self.doing) for _ in asked)
                stop.wait(self.pace)
            whole = [self._says(one).split(" ") for one in asked]
            for words in range(1, max(map(len, whole)) + 1):
                if stop.wait(self.pace):
                    break
                yield tuple(Answer(" ".join(said[:words])) for said in whole)
            words = words - 1 if stop.is_set() else words
            yield tuple(
                self._whole(one, " ".join(said[:words]), words < len(said), len(asked) > 1)
                for one, said in zip(asked, whole, strict=True)
            )
        except GeneratorExit:
            self.left += 1
            raise

    def _says(self, asked: Asked) -> str:
        said = self.says.get(asked.side.run, self.says.get("tuned" if asked.side.run else None))
        assert said is not None
        return said.format(question=asked.messages[-1]["content"], seed=asked.settings.seed)

    def _whole(self, asked: Asked, text: str, stopped: bool, together: bool) -> Answer:
        run = asked.side.run
        proof = Proof(
            base=asked.side.base,
            quantization=asked.side.quantization,
            held="4-bit",
            run=run,
            adapter=hashlib.sha256(run.encode()).hexdigest() if run else None,
            settings=asked.settings,
            proven=True,
            together=together,
            ended="stopped" if stopped else "by itself",
            tokens=2 * len(text.split()),
            waited=0.1,
            first_word=0.2,
            seconds=0.2 + 0.01 * len(text.split()),
        )
        return Answer(text, proof)


@pytest.fixture
def serve():
    """Serve an app for a while and hand out a client of its endpoints."""
    import gradio as gr
    from gradio_client import Client

    @contextmanager
    def _serve(app: gr.Blocks) -> Iterator[Client]:
        _, url, _ = app.launch(prevent_thread_lock=True, quiet=True, _frontend=False)
        client = Client(url, verbose=False)
        try:
            yield client
        finally:
            app.close()
            client.close()  # after the app, or it waits a second for the stream it listens to

    opened: Callable[[gr.Blocks], AbstractContextManager[Client]] = _serve
    return opened


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer Llama with a byte tokenizer of its own, saved as any checkpoint is."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-llama")
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = ["<|end|>", "<|pad|>", "<|user|>", "<|assistant|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        [], trainers.BpeTrainer(special_tokens=special, initial_alphabet=alphabet)
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|end|>", pad_token="<|pad|>"
    )
    tokenizer.chat_template = (
        "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=512,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    ).save_pretrained(folder)
    return folder
