"""Looking into JSON whose structure is not checked: what is of the wrong type counts as absent."""

from __future__ import annotations

from typing import Any


def as_list(value: object) -> list[Any]:
    """Return a list as it is, anything else as an empty one."""
    return value if isinstance(value, list) else []


def as_object(value: object) -> dict[str, Any]:
    """Return an object as it is, anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[dict[str, Any]]:
    """Return the objects in a list; nothing for anything else."""
    return [each for each in as_list(value) if isinstance(each, dict)]
