"""HTML as the text it shows; what only looks like HTML, and code, stays as it is."""

import re
from collections import Counter
from html import unescape
from html.entities import html5

from selectolax.lexbor import LexborHTMLParser, LexborNode

from trainer.corpus.spacing import LIST_MARK

DEEPEST = 2_000  # unclosed tags that are parsed; the time for more grows with their square

_INLINE = (
    "a|abbr|acronym|b|bdi|bdo|big|cite|code|del|em|font|i|ins|kbd|label|mark|nobr|q|s|samp|small|"
    "span|strike|strong|sub|sup|time|tt|u|var|wbr"
)
_BLOCK = (
    "address|article|aside|blockquote|body|caption|center|dd|details|div|dl|dt|fieldset|figcaption|"
    "figure|footer|form|h[1-6]|head|header|hr|html|li|main|nav|ol|p|pre|section|summary|table|"
    "tbody|td|tfoot|th|thead|tr|ul"
)
_GONE = "script,style,noscript,template,iframe,object,svg,select,button,title,textarea"
_VOID = "br|img|col|colgroup|embed|input|link|meta|source|video|audio|picture"
_KNOWN = f"{_INLINE}|{_BLOCK}|{_GONE.replace(',', '|')}|{_VOID}"
_FLAGS = (
    "open|hidden|checked|disabled|selected|controls|nowrap|async|defer|required|allowfullscreen"
)
_VALUE = r"\"[^\"<]*+\"|'[^'<]*+'|[^\s\"'<>]++"  # no "<", so that no text is read twice
_ATTRIBUTES = rf"(?:\s++(?:[\w:.@-]++\s*+=\s*+(?:{_VALUE})|(?:{_FLAGS})(?=[\s/>])))*+\s*+/?"
_TAG = re.compile(rf"</(?:{_KNOWN})\s*+>|<(?:{_KNOWN}){_ATTRIBUTES}>|<!--", re.I)
_SURE = re.compile(
    rf"</(?:{_KNOWN})\s*+>|<(?:br|hr|img){_ATTRIBUTES}>|^\s*+<(?:p|div|ul|ol|li){_ATTRIBUTES}>"
    rf"|<(?:p|li|td){_ATTRIBUTES}>[^<]*+<(?:p|li|td){_ATTRIBUTES}>|<!--",
    re.I,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.I)
_BLOCK_TAG = re.compile(rf"</?(?:{_BLOCK}|br)(?=[\s/>])", re.I)
_PARAGRAPHS = (
    "p,div,ul,ol,dl,table,blockquote,pre,section,article,hr,h1,h2,h3,h4,h5,h6,details,summary"
)
_KEPT = re.compile("\ue000([0-9]+)\ue001")
_CODE = re.compile(r"```.*?```|`[^`\n]++`", re.S)
_SPOKEN_OF = re.compile(  # a tag that is a word of the sentence: the <br> tag, "<b>"
    rf"(?:[\"'“\u2018«(])<[a-z1-6]++{_ATTRIBUTES}>(?=[\"'”\u2019»)])"
    rf"|<[a-z1-6]++{_ATTRIBUTES}>(?=[\s-]*+(?:tags?|elements?|elemente?|balises?|etiquetas?)\b)"
    rf"|\b(?:tags?|elements?|balises?|etiquetas?)\s++<[a-z1-6]++{_ATTRIBUTES}>",
    re.I,
)


def html_to_text(text: str) -> str:
    """Read a text as HTML where it is; leave alone code, and what only looks like it."""
    if "<" not in text and "&" not in text:
        return text
    code: list[str] = []
    if "`" in text and "\ue000" not in text:

        def put_aside(found: re.Match[str]) -> str:
            code.append(found[0])
            return f"\ue000{len(code) - 1}\ue001"

        text = _CODE.sub(put_aside, text)
    plain = text
    if not _looks_marked_up(text):
        plain = _unescape(text)
    if _looks_marked_up(plain):  # also where the tags themselves were escaped
        plain = _unescape(_render(plain))
    return _KEPT.sub(lambda found: code[int(found[1])], plain) if code else plain


def _looks_marked_up(text: str) -> bool:
    return "<" in text and bool(_SURE.search(text))


def _unescape(text: str) -> str:
    """Resolve entities, also escaped twice or thrice; without a semicolon they are none."""
    for _ in range(3):
        if "&" not in text or not _ENTITY.search(text):
            break
        text = _ENTITY.sub(lambda found: unescape(found[0]) if _named(found[0]) else found[0], text)
    return text


def _named(entity: str) -> bool:
    return entity[1] == "#" or entity[1:] in html5


def _render(text: str) -> str:
    text = _SPOKEN_OF.sub(lambda found: found[0].replace("<", "&lt;"), text)
    blocks = bool(_BLOCK_TAG.search(text))
    markup, at, open_tags = [], 0, 0
    for tag in _TAG.finditer(text):
        markup.append(_escape(text[at : tag.start()]))
        at = tag.end()
        open_tags += -1 if tag[0][1] == "/" else 1
        if open_tags < DEEPEST:
            markup.append(tag[0])
    markup.append(_escape(text[at:]))
    html = "".join(markup)
    if blocks and "<pre" not in html.lower():
        html = re.sub(r"[ \t\r\n\f]+", " ", html)  # line breaks of the source mean nothing
    tree = LexborHTMLParser(html)
    for node in tree.css(_GONE):
        node.decompose()
    for node in tree.css("br"):
        node.replace_with("\n")
    for node in tree.css("td + td, th + td, td + th, th + th"):
        node.insert_before(" | ")
    for node in tree.css("tr,dt,dd,caption"):
        node.insert_before("\n")
    items: Counter[int] = Counter()
    for node in tree.css("li"):
        parent = node.parent
        items[parent.mem_id if parent else 0] += 1
        ordered = parent is not None and parent.tag == "ol"
        mark = f"{items[parent.mem_id]}." if parent and ordered else "-"
        node.insert_before(f"\n{'  ' * _depth(node)}{mark} ")
    for node in tree.css(_PARAGRAPHS):
        if not _depth(node):
            node.insert_before("\n\n")
            node.insert_after("\n\n")
        else:
            node.insert_after(" ")
    lines = (tree.root.text() if tree.root else "").split("\n")
    indented = "<pre" in html.lower()
    tidy = (x.rstrip() if indented or LIST_MARK.match(x.lstrip()) else x.strip() for x in lines)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(tidy)).strip()


def _depth(node: LexborNode) -> int:
    """In how many lists and cells, beyond the first list for an item, a node stands."""
    depth, above = 0, node.parent
    for _ in range(12):
        if above is None:
            break
        depth += above.tag in ("ul", "ol", "td", "th")
        above = above.parent
    return depth - (node.tag == "li")


def _escape(text: str) -> str:
    """Keep what is no tag and no entity from being read as one."""
    if "&" in text:
        text = re.sub(
            r"&(?!(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)", "&amp;", text
        )
    return text.replace("<", "&lt;")
