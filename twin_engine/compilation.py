"""The one place that configures numba: how kernels are compiled, and where they are kept.

Only modules of kernels import this one, and only functions that compute import those, so a process that
merely lists models never loads numba. Compiled kernels are kept on disk, where every process finds them:
in ``NUMBA_CACHE_DIR`` where that is set (an image is built with it), else in the user's cache folder. What
lies there is executed, so a folder that others may write to is not read; one that we may only read, as in an
image, is copied. Kernels are kept by the text of every module they are made of, by interpreter, by numba's
version and by processor: none is ever stale.

No kernel reorders or fuses floating-point operations: the same bits come out on every processor.
"""

from __future__ import annotations

import ast
import atexit
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.extending import register_jitable

Function = TypeVar("Function", bound=Callable[..., Any])

_CONFIG: Any = numba.core.config
_OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "fastmath": False}
_WRITABLE_BY_ALL = 0o002


def compiled(function: Function) -> Function:
    """Compile ``function`` at its first call, or load what was compiled before."""
    # numba looks at the text of the function's own module only: the name of the folder stands for the others.
    _CONFIG.CACHE_DIR = str(folder() / _lineage(function.__module__))
    made: Function = numba.njit(cache=True, **_OPTIONS)(function)
    return made


def inlined(function: Function) -> Function:
    """Let kernels call ``function``, or take it as an argument: it is compiled into each of them.

    A kernel that were handed a ``compiled`` function could not be kept on disk. Outside of kernels it stays
    the plain function that it is.
    """
    marked: Function = register_jitable(**_OPTIONS)(function)
    return marked


def warm(models: Iterable[object]) -> tuple[str, ...]:
    """Compile or load the kernels of ``models``; return the modules they stand in.

    A model names them in ``kernels``, and each has a function ``warm`` that calls its kernels once.
    """
    modules = sorted({name for model in models for name in getattr(model, "kernels", ())})
    for name in modules:
        import_module(name).warm()
    return tuple(modules)


@cache
def folder() -> Path:
    """Return where compiled kernels are kept: a folder that this process may write to."""
    chosen = _chosen()
    if chosen is not None and _writable(chosen):
        return chosen
    private = Path(tempfile.mkdtemp(prefix="didymos-kernels-"))
    atexit.register(_remove, private, os.getpid())
    if chosen is not None and chosen.is_dir():
        shutil.copytree(chosen, private, dirs_exist_ok=True)
        for copy in (private, *private.rglob("*")):
            copy.chmod(0o700 if copy.is_dir() else 0o600)
    return private


def _chosen() -> Path | None:
    given = os.environ.get("NUMBA_CACHE_DIR")
    try:
        path = Path(given) if given else _of_the_user() / "didymos" / "kernels"
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no home, or nothing may be made there
        return None
    return path if _trusted(path) else None


def _of_the_user() -> Path:
    given = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return Path(given) if given else Path.home() / ".cache"


def _trusted(path: Path) -> bool:
    """Return whether only we or the administrator can have put files there."""
    if sys.platform == "win32":
        return True
    found = path.stat()
    return found.st_uid in (0, os.getuid()) and not found.st_mode & _WRITABLE_BY_ALL


def _writable(path: Path) -> bool:
    try:
        tempfile.TemporaryFile(dir=path).close()
    except OSError:
        return False
    return True


def _remove(private: Path, owner: int) -> None:
    if os.getpid() == owner:  # forked children share it
        shutil.rmtree(private, ignore_errors=True)


def _lineage(module: str) -> str:
    """Return a digest of the texts of all our modules whose values and kernels ``module`` is made of."""
    found: set[str] = set()
    _gather(module, {module.partition(".")[0], __name__.partition(".")[0]}, found)
    digest = hashlib.sha256()
    for name in sorted(found - {module}):
        digest.update(hashlib.sha256(name.encode()).digest() + _digest_of(_file(name)))
    return digest.hexdigest()[:16]


def _gather(module: str, packages: set[str], found: set[str]) -> None:
    if module in found or module.partition(".")[0] not in packages:
        return
    found.add(module)
    for name in _imports(_file(module)):
        if name in sys.modules:
            _gather(name, packages, found)


@cache
def _imports(file: Path) -> frozenset[str]:
    """Return what a text imports: names of modules, and of what may be a module or something in one."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def _file(module: str) -> Path:
    return Path(str(sys.modules[module].__file__))


@cache
def _digest_of(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()
