import json
import os
from pathlib import Path

import pytest

from consent.keys import FileKeyProvider, UnsafeKeyFile, WrongKey

CONTEXT = ("tenant", "north")
KEY = bytes(range(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "root.json"


@pytest.fixture
def provider(path: Path) -> FileKeyProvider:
    return FileKeyProvider.create(path)


def test_a_new_key_file_is_open_to_its_owner_only(provider, path):
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["root.json"]


def test_what_one_process_wraps_another_unwraps(provider, path):
    blob = provider.wrap(KEY, CONTEXT)
    again = FileKeyProvider(path)
    assert again.kid == provider.kid
    assert again.unwrap(blob, CONTEXT) == KEY
    assert KEY not in blob


def test_an_existing_key_file_is_never_replaced(provider, path):
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        FileKeyProvider.create(path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["root.json"]


def test_a_lost_key_file_is_not_silently_made_anew(path):
    with pytest.raises(FileNotFoundError):
        FileKeyProvider(path)


@pytest.mark.parametrize("context", [("tenant", "south"), ("tenantnorth",), (), ("tenant", "north", "")])
def test_another_context_does_not_unwrap(provider, context):
    with pytest.raises(WrongKey):
        provider.unwrap(provider.wrap(KEY, CONTEXT), context)


def test_another_root_key_does_not_unwrap(provider, tmp_path):
    other = FileKeyProvider.create(tmp_path / "others" / "root.json")
    with pytest.raises(WrongKey):
        other.unwrap(provider.wrap(KEY, CONTEXT), CONTEXT)


@pytest.mark.parametrize("length", [0, 5, 12, 20, 59])
def test_a_cut_blob_does_not_unwrap(provider, length):
    with pytest.raises(WrongKey):
        provider.unwrap(provider.wrap(KEY, CONTEXT)[:length], CONTEXT)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o610, 0o777])
def test_a_file_open_to_others_is_refused(provider, path, mode):
    path.chmod(mode)
    with pytest.raises(UnsafeKeyFile, match="group or world"):
        FileKeyProvider(path)


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o777])
def test_a_directory_open_to_others_is_refused(provider, path, mode):
    path.parent.chmod(mode)
    with pytest.raises(UnsafeKeyFile, match="group or world"):
        FileKeyProvider(path)
    with pytest.raises(UnsafeKeyFile, match="group or world"):
        FileKeyProvider.create(path.with_name("second.json"))


def test_a_symbolic_link_is_refused(provider, path, tmp_path):
    link = path.with_name("link.json")
    link.symlink_to(path)
    with pytest.raises(UnsafeKeyFile, match="symbolic link"):
        FileKeyProvider(link)
    (tmp_path / "linked").symlink_to(path.parent)
    with pytest.raises(UnsafeKeyFile, match="symbolic link"):
        FileKeyProvider(tmp_path / "linked" / path.name)


def test_a_directory_or_a_pipe_in_its_place_is_refused(provider, path):
    path.with_name("folder").mkdir(mode=0o700)
    os.mkfifo(path.with_name("pipe"), 0o600)
    for name in ("folder", "pipe"):
        with pytest.raises(UnsafeKeyFile, match="not a plain file"):
            FileKeyProvider(path.with_name(name))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused(provider, path):
    os.chown(path, 12345, -1)
    with pytest.raises(UnsafeKeyFile, match="belongs to user 12345"):
        FileKeyProvider(path)


def changed(path: Path, **fields: object) -> str:
    return json.dumps({**json.loads(path.read_text()), **fields})


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: "",
        lambda path: "not json",
        lambda path: "[]",
        lambda path: "null",
        lambda path: "[" * 4000,
        lambda path: path.read_text() + " " * 5000 + "x",
        lambda path: changed(path, version=2),
        lambda path: changed(path, algorithm="none"),
        lambda path: changed(path, key="AAAA"),
        lambda path: changed(path, key="*" * 44),
        lambda path: changed(path, key=None),
        lambda path: changed(path, kid=7),
        lambda path: changed(path, kid="abcd"),
        lambda path: changed(path, more=1),
    ],
)
def test_a_file_that_is_no_key_file_is_refused_without_being_quoted(provider, path, damage):
    secret = json.loads(path.read_text())["key"]
    path.write_text(damage(path))
    with pytest.raises(UnsafeKeyFile) as raised:
        FileKeyProvider(path)
    assert secret not in str(raised.value)
    assert raised.value.__suppress_context__


def test_the_key_is_not_in_any_description_of_the_provider(provider, path):
    secret = json.loads(path.read_text())["key"]
    assert secret not in repr(provider)
    assert not hasattr(provider, "__dict__")
