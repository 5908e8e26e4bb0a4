"""White space: what keeps lines, lists and code apart stays, the rest becomes one space."""

import re

LIST_MARK = re.compile(r"(?:[-*•‣◦▪\u2013—+]|\(?\w{1,3}[.)])(?=\s)")

_ODD_SPACE = re.compile(r"[^\S \n]")
_RUN = re.compile(r"[^\S\n]+")
_WRITTEN_BREAK = re.compile(r"(?:\\r)?\\n(?=\Z|\s|\\n|[-*•<]|[^\W\d_a-z])")  # backslash and n


def _untidy(text: str) -> bool:
    if "  " in text or " \n" in text or "\n " in text or "\n\n\n" in text or text != text.strip():
        return True
    odd = "\t" in text if text.isascii() else _ODD_SPACE.search(text)
    return bool(odd) or "\\n" in text or "_x000" in text


def put_on_one_line(text: str) -> str:
    """Join the lines of a text, with one space between words."""
    return " ".join(_breaks(text).split()) if "\n" in text or _untidy(text) else text


def tidy_lines(text: str) -> str:
    """Tidy each line, but leave what stands between code fences and how lists are indented."""
    if not _untidy(text):
        return text
    lines: list[str] = []
    in_code = False
    for line in _breaks(text).split("\n"):
        fence = line.lstrip().startswith("```")
        if in_code or fence:
            in_code = in_code != fence
            lines.append(line.rstrip())
            continue
        tidy = _RUN.sub(" ", line).strip()
        if tidy and LIST_MARK.match(tidy):
            indent = len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())
            tidy = " " * min(indent, 8) + tidy
        if tidy or (lines and lines[-1]):
            lines.append(tidy)
    return "\n".join(lines).strip()


def _breaks(text: str) -> str:
    if "_x000" in text:  # as spreadsheets write a line break of another system
        text = text.replace("_x000D_\n", "\n").replace("_x000D_", "\n").replace("_x000A_", "\n")
    return _WRITTEN_BREAK.sub("\n", text) if "\\n" in text and "\n" not in text else text
