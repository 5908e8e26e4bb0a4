"""The chat in a terminal: two columns that fill at once, and what can be typed beside questions."""

import shlex
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from signal import SIGINT, signal

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markdown import Markdown
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from assistant.conversation import (
    Answer,
    ChatSettings,
    Conversation,
    Exchange,
    Side,
    name_after,
)
from assistant.store import Choice, OpenQuestion, Vote
from assistant.talk import Talk
from assistant.told import beside_title, proof_log, proof_title
from trainer.errors import ConfigError, UserError

HELP = """\
Type a question and press Enter. Ctrl-C stops an answer; Ctrl-D ends the chat. Besides:
  /again              ask the last question anew (with the next seed where answers are drawn)
  /edit QUESTION      ask this in place of the last question
  /set KEY=VALUE ...  {settings}
  /vote WHICH         left, right, both (good) or neither: which answer is better
  /correct ANSWER     what the right answer to the last question is
  /name NAME          what to call this conversation
  /new                begin another one
  /help               say this again"""

_VOTES: dict[str, Choice] = {
    "left": "first",
    "right": "second",
    "both": "both good",
    "neither": "both bad",
}


class TerminalChat:
    """A conversation at a terminal; what is said is kept as on the page."""

    def __init__(
        self, talk: Talk, conversation: Conversation, console: Console, *, kept: bool = False
    ) -> None:
        """`kept`: the store has it already."""
        self._talk, self._console = talk, console
        self._now, self._kept = conversation, kept

    def hold(self, read: Callable[[], str]) -> None:
        """Answer what is read until there is no more; a mistake is told, and the chat goes on."""
        self._console.print(_heads(self._now))
        while True:
            try:
                line = read().strip()
            except EOFError:
                return
            except KeyboardInterrupt:
                continue
            try:
                self._take(line)
            except UserError as error:
                self._console.print(f"error: {error}", style="red", markup=False)

    def _take(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        match word:
            case "":
                return
            case "/again":
                self._anew(self._last().question)
            case "/edit":
                self._anew(rest)
            case "/set":
                self._set(rest)
            case "/vote":
                self._vote(rest)
            case "/correct":
                self._correct(rest)
            case "/name":
                self._begin()
                self._talk.store.change(self._now.id, name=rest.strip() or self._now.name)
            case "/new":
                now, runs = self._now, self._talk.runs
                self._now = Conversation.between(now.sides, runs, now.settings)
                self._kept = False
                self._console.print("A new conversation.", style="dim")
            case "/help":
                said = HELP.format(settings=", ".join(ChatSettings.model_fields))
                self._console.print(said, markup=False, highlight=False)
            case _ if word.startswith("/"):
                raise ConfigError(f"There is no {word}. /help says what there is.")
            case _:
                self._ask(line)

    def _ask(self, question: str) -> None:
        self._begin(question)
        self._answer(self._now, question)

    def _answer(
        self, conversation: Conversation, question: str, instead: str | None = None
    ) -> None:
        stop, before = threading.Event(), self._now.exchanges
        with (
            _stopped_by_ctrl_c(stop),
            Live(console=self._console, refresh_per_second=12, transient=True) as live,
        ):
            for answers in self._talk.ask(conversation, question, stop, instead):
                live.update(_columns([_growing(answer) for answer in answers]))
        self._now = self._talk.store.conversation(conversation.id)
        if self._now.exchanges != before:
            self._console.print(_columns([*_told(self._now.exchanges[-1])]))

    def _anew(self, question: str) -> None:
        """Ask in place of the last question; the same one is drawn with the next seed."""
        last = self._last()
        asked, settings = self._now.before(last), self._now.settings
        if question.strip() == last.question and not settings.greedy:
            settings = settings.model_copy(update={"seed": (settings.seed + 1) % 2**32})
        self._answer(asked.model_copy(update={"settings": settings}), question, instead=last.id)

    def _set(self, given: str) -> None:
        settings = self._now.settings.model_dump()
        try:
            pairs = shlex.split(given)
        except ValueError as error:
            raise ConfigError(f"/set: {str(error).lower()}. Put \\ before a lone quote.") from None
        for pair in pairs:
            key, equals, value = pair.partition("=")
            if not equals:
                raise ConfigError(f"/set takes key=value, not '{pair}'.")
            settings[key] = value
        parsed = ChatSettings.parse(settings)
        self._now = self._now.model_copy(update={"settings": parsed})
        if self._kept:
            self._talk.store.change(self._now.id, settings=parsed)
        shown = (f"{key}={value!r}" for key, value in parsed.model_dump().items())
        self._console.print(", ".join(shown), style="dim", markup=False, highlight=False)

    def _vote(self, which: str) -> None:
        last = self._last()
        if which.strip() not in _VOTES or len(self._now.sides) < 2:
            raise ConfigError(f"/vote takes one of {', '.join(_VOTES)}, for two columns.")
        vote = Vote(
            conversation=self._now.id, exchange=last.id, choice=_VOTES[which.strip()], blind=False
        )
        self._talk.store.vote(vote)
        self._console.print("Kept. `tandem votes` counts them.", style="dim")

    def _correct(self, answer: str) -> None:
        last = self._last()
        reply = self._now.tuned_reply(last)
        if not answer.strip() or reply is None or not self._now.corpus:
            raise ConfigError("Type the right answer behind /correct, about a tuned model.")
        self._talk.store.note(
            OpenQuestion(
                corpus=self._now.corpus,
                question=last.question,
                why="flagged",
                said=reply.text,
                answer=answer.strip(),
            )
        )
        self._console.print(
            f"Kept. `tandem questions {self._now.corpus} --teach` adds it to the corpus.",
            style="dim",
            markup=False,
        )

    def _begin(self, question: str = "") -> None:
        """Keep the conversation from its first question on."""
        if not self._kept:
            if question:
                self._now = self._now.model_copy(update={"name": name_after(question)})
            self._talk.store.begin(self._now)
            self._kept = True

    def _last(self) -> Exchange:
        if not self._now.exchanges:
            raise ConfigError("Nothing was asked yet. Type a question.")
        return self._now.exchanges[-1]


# what is shown ------------------------------------------------------------------------------------


def _columns(cells: Sequence[RenderableType]) -> Table:
    table = Table.grid(expand=True, padding=(0, 1))
    for _ in cells:
        table.add_column(ratio=1)
    table.add_row(*cells)
    return table


def _heads(conversation: Conversation) -> Table:
    return _columns([Panel(Text(_called(side)), style="bold") for side in conversation.sides])


def _called(side: Side) -> str:
    return f"◆ {side.run}" if side.run else f"○ {side.base}"


def _growing(answer: Answer) -> RenderableType:
    return Markdown(answer.text) if answer.text else Text(f"… {answer.doing}", style="dim")


def _told(exchange: Exchange) -> Iterator[RenderableType]:
    for reply in exchange.replies:
        parts: list[RenderableType] = [
            Markdown(reply.text) if reply.text else Text("(said nothing)", style="dim"),
            Text(f"{proof_title(reply.proof)} · {proof_log(reply.proof, reply.text)}", style="dim"),
        ]
        if reply.beside:
            parts.append(Text(f"{beside_title(reply.beside)}\n{reply.beside.answer}", style="dim"))
        yield Group(*parts, Text(""))


@contextmanager
def _stopped_by_ctrl_c(stop: threading.Event) -> Iterator[None]:
    before = signal(SIGINT, lambda *_: stop.set())
    try:
        yield
    finally:
        signal(SIGINT, before)
