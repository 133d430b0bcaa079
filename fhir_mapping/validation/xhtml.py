"""What a narrative must not hold: HL7's txt-1 and txt-2, over the text of ``div``.

The names are those of HTML 4.0, chapters 7 to 11 (without section 4 of chapter 9) and 15, with ``a``,
``img`` and ``style`` (narrative.html of FHIR 4.0.1), without what HTML 4.0 deprecates. The text is cut at
each ``<`` and never parsed as XML, so that no entity is ever expanded. A narrative that passes is well
formed; it is not thereby safe to show.
"""

from __future__ import annotations

import re

from fhir_mapping.validation.breaches import NOWHERE, Places, Value

_DIV = (".`div`",)  # a word of FHIRPath, and so quoted


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ELEMENTS = _words(
    "a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em"
    " h1 h2 h3 h4 h5 h6 hr i img kbd li map ol p pre q samp small span strong sub sup table tbody td tfoot"
    " th thead tr tt ul var"
)
_ATTRIBUTES = _words(
    "abbr accesskey align axis char charoff class colspan dir headers id lang rowspan scope span style"
    " tabindex title valign width xml:lang xmlns"
)
_OF_ONE = {
    "a": _words("charset coords href hreflang name rel rev shape type"),
    "area": _words("alt coords href nohref shape"),
    "blockquote": _words("cite"),
    "img": _words("alt border height ismap longdesc src usemap"),
    "map": _words("name"),
    "pre": _words("space xml:space"),
    "q": _words("cite"),
    "table": _words("border cellpadding cellspacing frame rules summary"),
    "td": _words("nowrap"),
}
_ATTRIBUTE = r"""\s++([A-Za-z:]++)\s*+=\s*+(?:"[^"]*+"|'[^']*+')"""
_TAG = re.compile(
    rf"""(?P<end>/?)(?P<name>[a-z][a-z0-9]*+)(?P<attributes>(?:{_ATTRIBUTE})*+)\s*+(?P<empty>/?)>"""
)
_NAMES = re.compile(_ATTRIBUTE)


def forbidden(narrative: Value) -> Places:
    """Name ``div`` where it is no single, closed ``div`` of permitted elements and attributes."""
    first, *pieces = _without_comments(narrative.get("div", "<div/>")).split("<")
    open_elements: list[str] = []
    for index, piece in enumerate(pieces):
        tag = _TAG.match(piece)
        if tag is None or not _is_permitted(tag) or not _nests(tag, open_elements, is_first=index == 0):
            return _DIV
        if not open_elements and piece[tag.end() :].strip():
            return _DIV
        if not open_elements and index < len(pieces) - 1:
            return _DIV
    return _DIV if open_elements or first.strip() or not pieces else NOWHERE


def blank(narrative: Value) -> Places:
    """Name ``div`` where it has neither text nor image."""
    div = _without_comments(narrative.get("div", "<img"))
    said = "<img" in div or any(piece.partition(">")[2].strip() for piece in div.split("<"))
    return NOWHERE if said else _DIV


def _without_comments(div: str) -> str:
    """Cut comments at their ends first: a search from each beginning would not be linear."""
    return "".join(piece.partition("<!--")[0] for piece in div.split("-->")) if "<!--" in div else div


def _is_permitted(tag: re.Match[str]) -> bool:
    name = tag["name"]
    own = _OF_ONE.get(name, frozenset())
    return name in _ELEMENTS and all(
        attribute in _ATTRIBUTES or attribute in own for attribute in _NAMES.findall(tag["attributes"])
    )


def _nests(tag: re.Match[str], open_elements: list[str], *, is_first: bool) -> bool:
    """Enter or leave the element; tell whether it may stand where it stands."""
    if is_first and (tag["name"] != "div" or tag["end"]):
        return False
    if tag["end"]:
        return bool(open_elements) and open_elements.pop() == tag["name"]
    if not tag["empty"]:
        open_elements.append(tag["name"])
    return True
