"""Signing keys on disk: who may read them, who wins a race, what a rotation keeps."""

import hashlib
import json
import multiprocessing
import stat
from base64 import urlsafe_b64encode
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from lethe.auth.signing_keys import SigningKeys, SigningKeysUnusable


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keys"


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_start_makes_one_key_that_only_this_user_reads(directory: Path) -> None:
    SigningKeys(directory)
    assert names(directory) == ["000001.jwk"]
    assert mode(directory) == 0o700
    assert mode(directory / "000001.jwk") == 0o600


def test_the_next_start_uses_the_same_key(directory: Path) -> None:
    first = SigningKeys(directory).signing_key()
    again = SigningKeys(directory).signing_key()
    assert again.as_dict(private=True) == first.as_dict(private=True)
    assert names(directory) == ["000001.jwk"]


def test_the_kid_is_the_thumbprint_of_rfc_7638(directory: Path) -> None:
    key = SigningKeys(directory).signing_key()
    canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{key.as_dict()["x"]}"}}'
    assert key.kid == urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()


def test_the_verifying_keys_hold_no_secret(directory: Path) -> None:
    keys = SigningKeys(directory)
    keys.rotate()
    assert [set(key.as_dict()) for key in keys.verifying_keys()] == [{"kty", "crv", "x", "kid", "use", "alg"}] * 2
    assert not any(key.is_private for key in keys.verifying_keys())


def test_a_rotation_signs_with_a_new_key_and_keeps_the_old_one(directory: Path) -> None:
    keys = SigningKeys(directory)
    old = keys.signing_key().kid
    new = keys.rotate()
    assert new != old
    assert keys.signing_key().kid == new
    assert [key.kid for key in keys.verifying_keys()] == [old, new]
    assert mode(directory / "000002.jwk") == 0o600


def test_a_rotation_shows_in_another_process_at_once(directory: Path) -> None:
    here, there = SigningKeys(directory), SigningKeys(directory)
    new = there.rotate()
    assert here.signing_key().kid == new
    assert new in {key.kid for key in here.verifying_keys()}


def test_the_verifying_keys_are_one_object_until_a_key_comes_or_goes(directory: Path) -> None:
    keys = SigningKeys(directory)
    before = keys.verifying_keys()
    assert keys.verifying_keys() is before
    keys.rotate()
    assert keys.verifying_keys() is not before


def test_deleting_an_old_key_ends_it_without_a_restart(directory: Path) -> None:
    keys = SigningKeys(directory)
    new = keys.rotate()
    (directory / "000001.jwk").unlink()
    assert [key.kid for key in keys.verifying_keys()] == [new]


def test_no_key_left_is_an_error_and_not_a_new_key(directory: Path) -> None:
    keys = SigningKeys(directory)
    (directory / "000001.jwk").unlink()
    with pytest.raises(SigningKeysUnusable, match="holds no key"):
        keys.signing_key()


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601])
def test_a_key_file_that_others_can_open_is_refused_with_the_remedy(directory: Path, bits: int) -> None:
    SigningKeys(directory)
    path = directory / "000001.jwk"
    path.chmod(bits)
    with pytest.raises(SigningKeysUnusable) as refusal:
        SigningKeys(directory)
    assert f"chmod 600 {path}" in str(refusal.value)
    assert f"mode {bits:o}" in str(refusal.value)
    path.chmod(0o600)
    assert SigningKeys(directory).signing_key()


def test_a_directory_that_others_can_enter_is_refused_with_the_remedy(directory: Path) -> None:
    directory.mkdir(parents=True)
    directory.chmod(0o755)
    with pytest.raises(SigningKeysUnusable, match=f"chmod 700 {directory}"):
        SigningKeys(directory)
    assert names(directory) == []


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "nonsense",
        json.dumps({"kty": "oct", "k": "c2VjcmV0"}),
        json.dumps({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
        json.dumps({"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA"}),
    ],
)
def test_a_file_that_is_no_private_key_is_refused_by_name(directory: Path, content: str) -> None:
    SigningKeys(directory)
    path = directory / "000001.jwk"
    path.write_text(content)
    with pytest.raises(SigningKeysUnusable, match=str(path)):
        SigningKeys(directory)


def test_a_link_is_not_followed_to_a_key_elsewhere(directory: Path, tmp_path: Path) -> None:
    SigningKeys(directory)
    path = directory / "000001.jwk"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SigningKeysUnusable, match=str(path)):
        SigningKeys(directory)


def test_what_a_crash_leaves_behind_is_no_key(directory: Path) -> None:
    keys = SigningKeys(directory)
    (directory / ".left-behind").write_text("half a key")
    assert len(SigningKeys(directory).verifying_keys().keys) == 1
    assert keys.rotate() == SigningKeys(directory).signing_key().kid


def start(directory: Path, barrier: Barrier, kids: "Queue[tuple[str, str]]") -> None:
    """What each racing process does: start together, then rotate together."""
    barrier.wait(30)
    keys = SigningKeys(directory)
    first = str(keys.signing_key().kid)
    barrier.wait(30)
    kids.put((first, keys.rotate()))


def test_processes_that_start_and_rotate_at_once_agree(directory: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, kids = context.Barrier(3), context.Queue()
    processes = [context.Process(target=start, args=(directory, barrier, kids)) for _ in range(3)]
    for process in processes:
        process.start()
    seen = [kids.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    firsts, lasts = zip(*seen, strict=True)
    assert len(set(firsts)) == 1
    keys = SigningKeys(directory)
    # A process that was late sees the first rotation, and asks for one more: what counts is that none is lost.
    assert set(lasts) <= {key.kid for key in keys.verifying_keys()}
    assert keys.verifying_keys().keys[0].kid == firsts[0]
    assert all(name.endswith(".jwk") for name in names(directory))


def test_the_loser_of_a_race_takes_the_winners_key(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    winner = SigningKeys(directory)
    listings = iter([(), ("000001.jwk",)])
    monkeypatch.setattr(SigningKeys, "_names", lambda _: next(listings))
    loser = SigningKeys(directory)
    monkeypatch.undo()
    assert loser.signing_key().kid == winner.signing_key().kid
    assert names(directory) == ["000001.jwk"]
