"""The text that a person reads when nothing else of a resource is understood."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Any

# XML 1.0 has no place for these, escaped or not.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def render(title: str, lines: Iterable[str]) -> dict[str, Any]:
    """Return a generated Narrative: a heading and a list, everything escaped."""
    items = "".join(f"<li>{_xml(line)}</li>" for line in lines)
    body = f"<ul>{items}</ul>" if items else ""
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p><b>{_xml(title)}</b></p>{body}</div>'
    return {"status": "generated", "div": div}


def _xml(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))
