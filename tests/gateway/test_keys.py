"""The file of keys, and what a running server sees of it."""

import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from regrade.errors import GatewayError, UsageError
from regrade.gateway.keyring import KeyRing
from regrade.gateway.keys import Key, KeyLimits, KeyStore, digest_of, keys_path, were_keys_made

ANY = KeyLimits()


class Clock:
    """Time that passes when the test says so."""

    now = 100.0

    def __call__(self) -> float:
        """Return it."""
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a file of keys may be made."""
    return tmp_path / "config/keys.sqlite"


def make(path: Path, name: str = "ci", limits: KeyLimits = ANY) -> str:
    """Make a key as another process would, and return it."""
    with KeyStore(path) as store:
        return store.add(name, limits)


def found(ring: KeyRing, secret: str) -> Key:
    """Return a key that must be there."""
    key = ring.find(secret)
    assert key
    return key


def test_a_key_is_long_random_and_nowhere_in_the_file(path: Path) -> None:
    """The secret has 190 random bits; what is stored is its hash."""
    secrets = {make(path, f"k{n}") for n in range(20)}
    assert len(secrets) == 20
    assert all(re.fullmatch(r"uai_[A-Za-z0-9]{32}", secret) for secret in secrets)
    stored = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert not any(secret[4:].encode() in stored for secret in secrets)
    with KeyStore(path) as store:
        assert {key.digest for key in store.in_force()} == set(map(digest_of, secrets))
        assert not any(secret in repr(store.in_force()) for secret in secrets)


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")
def test_the_file_is_its_owners_alone(path: Path) -> None:
    """Whatever the umask: 0600 in a folder of 0700, SQLite's own files beside it too, and set right again."""
    before = os.umask(0)
    try:
        with KeyStore(path) as store:
            store.add("ci", ANY)
            modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert modes == {0o600}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        path.chmod(0o644)
        make(path, "b")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_where_the_file_is() -> None:
    """A variable of its own, then the user's configuration folder."""
    assert keys_path({"REGRADE_KEYS": "/a/b"}) == Path("/a/b")
    assert keys_path({"XDG_CONFIG_HOME": "/c"}) == Path("/c/regrade/gateway-keys.sqlite")
    assert keys_path({}) == Path.home() / ".config/regrade/gateway-keys.sqlite"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ci", "named 'ci' already"),
        ("", "no name"),
        ("a b", "no name"),
        ("-x", "no name"),
        ("uai_abc", "looks like a key"),
    ],
)
def test_a_name_that_cannot_be_taken(path: Path, name: str, words: str) -> None:
    """Each mistake is named; nothing that might be a key is repeated."""
    make(path)
    with pytest.raises(UsageError, match=words) as caught:
        make(path, name)
    assert "uai_" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [("cii", 'did you mean "ci"'), ("zzzzzz", "there are ci"), ("uai_xyz", "that is a key")],
)
def test_revoking_what_is_not_there(path: Path, name: str, words: str) -> None:
    """The nearest name is offered; a key given instead of its name is not repeated."""
    make(path)
    with KeyStore(path) as store, pytest.raises(UsageError, match=words) as caught:
        store.revoke(name)
    assert "uai_xyz" not in str(caught.value)


def test_a_name_is_free_again_once_its_key_is_revoked(path: Path) -> None:
    """The new key starts afresh and the old one stays dead."""
    old = make(path)
    with KeyStore(path) as store:
        store.charge(digest_of(old), 5.0)
        store.revoke("ci")
    new = make(path)
    ring = KeyRing(path)
    assert ring.find(old) is None
    assert found(ring, new).spent_usd == 0
    ring.close()


@pytest.mark.parametrize("content", [b"no database at all" * 100, None])
def test_a_file_that_is_no_file_of_keys(path: Path, content: bytes | None) -> None:
    """One message names it and what to do."""
    path.parent.mkdir()
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    for use in (KeyStore, KeyRing):
        with pytest.raises(GatewayError, match=r"keys\.sqlite cannot be used") as caught:
            use(path)
        assert "--keys" in str(caught.value)


def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    """What a later regrade wrote is not guessed at."""
    make(path)
    base = sqlite3.connect(path)
    base.execute("pragma user_version = 9")
    base.close()
    with pytest.raises(GatewayError, match="newer regrade"):
        KeyStore(path)


def test_a_running_server_sees_new_and_revoked_keys_within_a_second(path: Path) -> None:
    """Without a restart, and also when the file appears only later."""
    clock = Clock()
    ring = KeyRing(path, clock)
    assert ring.is_open
    assert not path.exists()
    secret = make(path)
    clock.now += 1
    assert found(ring, secret).name == "ci"
    assert not ring.is_open
    other = make(path, "other")
    clock.now += 1
    assert ring.find(other)
    with KeyStore(path) as store:
        store.revoke("ci")
        store.revoke("other")
    clock.now += 1
    assert ring.find(secret) is None
    assert ring.find("anything") is None
    assert not ring.is_open, "the last key is gone, and so is everybody"
    assert were_keys_made(path)
    ring.close()


def test_a_file_that_disappears_or_breaks_opens_nothing(path: Path) -> None:
    """What was known stays in force; a file put in its place is read."""
    clock = Clock()
    secret = make(path)
    ring = KeyRing(path, clock)
    for broken in (path.unlink, lambda: path.write_bytes(b"rubbish" * 1000)):
        broken()
        clock.now += 1
        assert ring.find(secret)
        assert ring.find("any") is None
        assert not ring.is_open
    path.unlink()
    for beside in path.parent.iterdir():
        beside.unlink()
    new = make(path)
    clock.now += 1
    assert ring.find(new)
    assert ring.find(secret) is None
    ring.close()


def test_every_key_is_compared_whichever_is_sent(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How long an answer takes tells nothing about the keys: no comparison is left out."""
    secrets = [make(path, f"k{n}") for n in range(5)]
    ring = KeyRing(path)
    seen: list[bytes] = []

    def compare(ours: bytes, theirs: bytes) -> bool:
        seen.append(ours)
        return ours == theirs

    monkeypatch.setattr("hmac.compare_digest", compare)
    for sent in (secrets[0], secrets[4], "wrong", "\udcff", ""):
        seen.clear()
        assert (ring.find(sent) is not None) == (sent in secrets)
        assert len(seen) == 5
    ring.close()


def test_that_a_key_was_used_is_noted_at_most_once_a_minute(path: Path) -> None:
    """The list tells when, to about a minute, and busy servers do not write for it all the time."""
    clock = Clock()
    secret = make(path)
    ring = KeyRing(path, clock)
    assert ring.find(secret)
    with sqlite3.connect(path, isolation_level=None) as base:
        noted = "select last_used_at from keys"
        assert base.execute(noted).fetchone() != (None,)
        base.execute("update keys set last_used_at = null")
        for _ in range(50):
            clock.now += 1
            assert ring.find(secret)
        assert base.execute(noted).fetchone() == (None,)
        clock.now += 10
        assert ring.find(secret)
        assert base.execute(noted).fetchone() != (None,)
    base.close()
    ring.close()


def test_servers_share_what_a_key_has_spent(path: Path) -> None:
    """Two servers add to one sum, and each knows what the other added within a second."""
    clock = Clock()
    secret = make(path, limits=KeyLimits(budget_usd=1))
    one, two = KeyRing(path, clock), KeyRing(path, clock)
    key = found(one, secret)
    one.charge(key, 0.25)
    two.charge(key, 0.5)
    assert one.spent(key) == 0.25
    assert two.spent(key) == 0.75
    clock.now += 1
    assert one.find(secret)
    assert one.spent(key) == 0.75
    one.close()
    two.close()


def test_what_cannot_be_written_now_counts_and_is_written_later(path: Path) -> None:
    """A file that another process holds for long neither stops the server nor loses money."""
    clock = Clock()
    secret = make(path, limits=KeyLimits(budget_usd=1))
    ring = KeyRing(path, clock)
    key = found(ring, secret)
    held = sqlite3.connect(path, isolation_level=None)
    held.execute("begin immediate")
    ring.charge(key, 0.25)
    assert ring.spent(key) == 0.25
    held.execute("rollback")
    ring.charge(key, 0.25)
    assert held.execute("select spent_usd from keys").fetchone() == (0.5,)
    assert ring.spent(key) == 0.5
    held.close()
    ring.close()


def test_what_was_spent_survives_kill_9(path: Path) -> None:
    """A process that is killed right after an answer has written its price."""
    secret = make(path, limits=KeyLimits(budget_usd=1))
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom regrade.gateway.keyring import KeyRing\n"
        "ring = KeyRing(Path(sys.argv[1])); key = ring.find(sys.argv[2])\n"
        "for _ in range(8): ring.charge(key, 0.125)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(path), secret], check=False)
    assert ended.returncode == -signal.SIGKILL
    with KeyStore(path) as store:
        assert store.in_force()[0].spent_usd == 1.0
