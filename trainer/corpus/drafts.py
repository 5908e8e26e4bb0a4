"""Rows that a help desk exports though it does not show them: drafts, archived, switched off."""

# ruff: noqa: RUF001 - letters of other alphabets are the point

from collections.abc import Collection, Iterator, Sequence

from trainer.corpus.column_names import reduce_name
from trainer.corpus.columns import Rows, one_text


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_YES = _words("true yes 1 x y on ja oui sí si sim da tak evet да так はい 是")
_NO = _words("false no 0 n off nein non não nie hayır нет ні いいえ 否")
_DRAFT = _words("draft is_draft archived is_archived disabled hidden")
_SHOWN = _words(
    """published is_published publish enabled is_enabled active is_active visible is_visible public
    is_public approved is_approved"""
)
_STATES = _words(
    """draft drafts unpublished archived inactive disabled deleted trash trashed rejected obsolete
    deprecated pending review entwurf archiviert brouillon archivé borrador archivado rascunho
    arquivado bozza archiviato szkic koncept utkast kladde luonnos piszkozat ciornă черновик архив
    чернетка чернова πρόχειρο taslak مسودة טיוטה پیش‌نویس ड्राफ्ट मसौदा draf nháp bản_nháp ร่าง
    ฉบับร่าง 草稿 下書き 초안 rasimu"""
)
_LONGEST_STATE = 20
_MOST_TOLD = 5


def note_drafts(
    names: Sequence[str], rows: Rows, unit: str, *, used: Collection[int]
) -> Iterator[str]:
    """Say how many rows another column than the `used` ones marks as not shown to anyone."""
    for at, name in enumerate(names):
        if at in used:
            continue
        last = reduce_name(name.rpartition(".")[2]).replace(" ", "_")
        cells = [(number, one_text(cells[at]).strip()) for number, cells in rows]
        if last == "published_at" and any(text for _, text in cells):
            found = [number for number, text in cells if not text]
        else:
            found = [number for number, text in cells if _says_draft(last, text)]
        if not found:
            continue
        told = ", ".join(map(str, found[:_MOST_TOLD])) + " ..." * (len(found) > _MOST_TOLD)
        are, them = ("are drafts", "They are") if len(found) > 1 else ("is a draft", "It is")
        yield (
            f"{len(found):,} {unit}{'s' * (len(found) > 1)} ({told}) {are} or not shown, says "
            f"column '{name}'. {them} used all the same; delete in the file what the bot should "
            "not say."
        )


def _says_draft(name: str, text: str) -> bool:
    if len(text) > _LONGEST_STATE:
        return False
    word = text.casefold().replace(" ", "_")
    if name in _DRAFT or name in _SHOWN:
        return word in (_YES if name in _DRAFT else _NO)
    return word in _STATES
