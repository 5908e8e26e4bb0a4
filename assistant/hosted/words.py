"""Words at which an answer ends, as they are found in an answer that still grows."""

from collections.abc import Sequence


class StopWords:
    """Cut an answer before the first of some words."""

    def __init__(self, words: str | Sequence[str]) -> None:
        given = [words] if isinstance(words, str) else words
        self._words = [word for word in given if word]

    def cut(self, text: str, *, whole: bool) -> tuple[str, bool]:
        """The text before the first word, and whether there is one.

        Unless the text is `whole`, what may be the beginning of a word is left out, too.
        """
        found = [at for word in self._words if (at := text.find(word)) >= 0]
        if found:
            return text[: min(found)], True
        begun = 0
        if not whole:
            starts = [word[:n] for word in self._words for n in range(1, len(word))]
            begun = max((len(start) for start in starts if text.endswith(start)), default=0)
        return text[: len(text) - begun], False
