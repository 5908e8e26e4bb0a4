"""Which elements of a page it calls questions and answers itself."""

import re
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser

_ASKS = re.compile(
    r"(?i)(?:^|[-_])(?:question|frage|pregunta|pergunta|domanda|vraag|fraga|pytanie|otazka|soru|vopros)"
    r"(?:[-_](?:title|text|heading|header|head|label|name|content|button))?$"
)
_REPLIES = re.compile(
    r"(?i)(?:^|[-_])(?:answer|antwort|reponse|respuesta|resposta|risposta|antwoord|svar|odpowiedz|odpoved|cevap|otvet)"
    r"(?:[-_](?:text|content|body|inner|wrapper|wrap|container|panel))?$"
)


@dataclass
class Roles:
    """Which elements the page itself calls questions and answers, by their memory addresses."""

    asks: set[int] = field(default_factory=set)
    replies: set[int] = field(default_factory=set)


def find_roles(tree: LexborHTMLParser) -> Roles:
    """Follow what the page says of itself: controls and panels, microdata, names of classes."""
    roles = Roles()
    named = {id_: node for node in tree.css("[id]") if (id_ := node.attributes.get("id"))}
    for node in tree.css(
        "[aria-controls],[data-target],[data-bs-target],[data-toggle],[role=button]"
    ):
        given = node.attributes
        for key in ("aria-controls", "data-bs-target", "data-target", "href"):
            target = named.get((given.get(key) or "").lstrip("#"))
            if target is not None and target.mem_id != node.mem_id:
                roles.asks.add(node.mem_id)
                roles.replies.add(target.mem_id)
                break
    for node in tree.css("[role=tabpanel][aria-labelledby],[role=region][aria-labelledby]"):
        head = named.get(node.attributes.get("aria-labelledby") or "")
        if head is not None:
            roles.asks.add(head.mem_id)
            roles.replies.add(node.mem_id)
    for node in tree.css('[itemtype$="schema.org/Question"]'):
        if (name := node.css_first('[itemprop="name"]')) is not None:
            roles.asks.add(name.mem_id)
    for node in tree.css('[itemprop="acceptedAnswer"],[itemprop="suggestedAnswer"]'):
        roles.replies.add(node.mem_id)
    asks, replies = set(), set()
    for node in tree.css('[class*="s"],[class*="f"],[class*="r"],[class*="v"]'):
        for token in (node.attributes.get("class") or "").split()[:20]:
            if _ASKS.search(token):
                asks.add(node.mem_id)
            elif _REPLIES.search(token):
                replies.add(node.mem_id)
    if len(asks) >= 2 and len(replies) >= 2:
        roles.asks |= asks
        roles.replies |= replies
    return roles
