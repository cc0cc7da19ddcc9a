"""`lethe config`: what is wrong is said by its field, what is secret is never said."""

import hashlib
import json
import re
import stat
from pathlib import Path

import pytest

from cli.conftest import Lethe
from lethe import __version__
from lethe.settings import Settings, load

SECRET = "hunter2-and-something-long-enough-to-be-taken"


def test_a_first_start(lethe: Lethe, directory: Path) -> None:
    done = lethe("config", "init")
    assert done.exit_code == 0
    file = directory / "lethe.toml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    shown = dict(re.findall(r"(x-gw-ims-org-id|client id|client secret): +(\S+)", done.output))
    settings = load()
    assert shown["x-gw-ims-org-id"] == settings.orgs[0].id
    assert shown["client id"] == settings.clients[0].id
    assert hashlib.sha256(shown["client secret"].encode()).hexdigest() == settings.clients[0].secret_sha256
    assert shown["client secret"] not in file.read_text()
    assert lethe("config", "check").output == "lethe.toml: the settings are usable.\n"


def test_an_existing_file_is_left_as_it_is(lethe: Lethe, directory: Path) -> None:
    (directory / "lethe.toml").write_text("# mine\n")
    done = lethe("config", "init")
    assert done.exit_code == 1
    assert "exists already; nothing was changed" in done.output
    assert (directory / "lethe.toml").read_text() == "# mine\n"


def test_a_file_elsewhere_for_another_org(lethe: Lethe, directory: Path) -> None:
    assert lethe("config", "init", "etc/lethe.toml", "--org", "A@B", "--client", "c").exit_code == 0
    shown = json.loads(lethe("config", "show", LETHE_CONFIG="etc/lethe.toml").output)
    assert (shown["orgs"][0]["id"], shown["clients"][0]["id"]) == ("A@B", "c")


def test_a_secret_comes_with_its_digest_and_never_twice(lethe: Lethe) -> None:
    pairs = [re.findall(r": +(\S+)$", lethe("config", "secret").output, re.MULTILINE) for _ in range(2)]
    for value, digest in pairs:
        assert hashlib.sha256(value.encode()).hexdigest() == digest
    assert pairs[0] != pairs[1]


def test_without_any_settings_it_says_that_nobody_can_call(lethe: Lethe) -> None:
    done = lethe("config", "check")
    assert done.exit_code == 0
    assert "No settings file: the settings are usable." in done.output
    assert "no [[orgs]] are configured" in done.output
    assert "neither [[clients]] nor [[trusted_issuers]]" in done.output


def test_the_environment_wins_over_the_file_and_that_over_defaults(lethe: Lethe, directory: Path) -> None:
    (directory / "lethe.toml").write_text('port = 1\nhost = "::1"\n[limits]\nburst = 7\nbody_bytes_max = 2048\n')
    shown = json.loads(lethe("config", "show", LETHE_PORT="2", LETHE_LIMITS__BURST="9").output)
    assert (shown["port"], shown["host"], shown["shutdown_seconds"]) == (2, "::1", 20)
    assert (shown["limits"]["burst"], shown["limits"]["body_bytes_max"]) == (9, 2048)


def test_lists_in_the_environment_are_json(lethe: Lethe) -> None:
    orgs = json.dumps([{"id": "A@B", "sandboxes": [{"name": "prod", "is_default": True}]}])
    assert json.loads(lethe("config", "show", LETHE_ORGS=orgs).output)["orgs"][0]["id"] == "A@B"


def test_secrets_are_never_shown(lethe: Lethe, directory: Path) -> None:
    (directory / "lethe.toml").write_text(f'database_url = "postgresql://lethe:{SECRET}@db/lethe"\n')
    secrets = {
        "LETHE_SECRET_KEY": SECRET,
        "LETHE_PREVIOUS_SECRET_KEYS": json.dumps([SECRET, SECRET]),
        "LETHE_CATALOGS": json.dumps({"lake": {"type": "rest", "token": SECRET}}),
        "LETHE_OBJECT_STORES": json.dumps({"s3": {"secret_access_key": SECRET, "virtual_hosted_style_request": True}}),
    }
    done = lethe("config", "show", **secrets)
    assert done.exit_code == 0
    shown = json.loads(done.output)
    assert shown["secret_key"] == shown["database_url"] == shown["previous_secret_keys"][0] == "**********"
    broken = lethe("config", "show", **secrets, LETHE_PORT="x", LETHE_ORGS='[{"id": ""}]')
    for output in (done.output, broken.output, str(broken.exception), repr(Settings(secret_key=SECRET))):
        assert SECRET not in output


CLIENT = {"id": "c", "secret_sha256": "0" * 64, "name": "C", "email": "c@x", "orgs": ["A"]}
DATASET = {"id": "d", "org": "A", "sandbox": "prod", "name": "D", "format": "delta", "location": "/d"}


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PORT", "http", "port: Input should be a valid integer"),
        ("PORT", "65536", "port: Input should be less than or equal to 65535"),
        ("SECRET_KEY", "hunter2", "secret_key: has at least 32 characters"),
        ("PREVIOUS_SECRET_KEYS", '["hunter2"]', "previous_secret_keys[0]: has at least 32 characters"),
        ("DATABASE_URL", "mysql://u:hunter2@h/d", "database_url: begins with postgresql:// or sqlite:///"),
        ("PUBLIC_URL", "example.com", "public_url: begins with http:// or https://"),
        ("LIMITS__BURST", "0", "limits.burst: Input should be greater than or equal to 1"),
        ("LIMITS__BRST", "1", "limits.brst: Extra inputs are not permitted"),
        ("LOG__LEVEL", "loud", "log.level: Input should be 'debug', 'info', 'warning' or 'error'"),
        ("ISSUER__LIFETIME_SECONDS", "500", "issuer.lifetime_seconds: Input should be greater than 500"),
        ("ORGS", "[{", 'error parsing value for field "orgs"'),
        ("ORGS", '[{"id": ""}]', "orgs[0].id: String should have at least 1 character"),
        ("ORGS", '[{"id": "A", "sandboxes": [{"name": "x"}]}]', "orgs[0]: exactly one sandbox has is_default = true"),
        ("ORGS", '[{"id": "A"}, {"id": "A"}]', "settings: orgs: A stands twice"),
        ("CLIENTS", json.dumps([CLIENT]), "settings: clients: c names the org A, which orgs does not"),
        ("CLIENTS", json.dumps([CLIENT | {"secret_sha256": "hunter2"}]), "clients[0].secret_sha256: String should"),
        ("CLIENTS", json.dumps([CLIENT | {"roles": ["root"]}]), "clients[0].roles[0]: Input should be 'viewer'"),
        ("DATASETS", json.dumps([DATASET]), "settings: datasets: d names a sandbox that orgs does not"),
        ("DATASETS", json.dumps([DATASET | {"location": None}]), "datasets[0]: either location or identifier"),
        ("DATASETS", json.dumps([DATASET | {"catalog": "c"}]), "datasets[0]: catalog and identifier are"),
        ("DATASETS", json.dumps([DATASET | {"primary_identity_namespace": "E"}]), "datasets[0]: primary_identity_path"),
        ("CONFIG", "elsewhere.toml", "LETHE_CONFIG names elsewhere.toml, which is not there"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_its_field(lethe: Lethe, variable: str, value: str, said: str) -> None:
    done = lethe("config", "check", **{f"LETHE_{variable}": value})
    assert done.exit_code == 2
    assert said in done.output
    assert "hunter2" not in done.output
    assert lethe("config", "show", **{f"LETHE_{variable}": value}).exit_code == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[[orgs\n", "lethe.toml: Expected ']]'"),
        (b"prot = 8080\n", "prot: Extra inputs are not permitted"),
        (b'[[orgs]]\nname = "x"\n', "orgs[0].id: Field required"),
        (b"\xff\xfe", "lethe.toml: 'utf-8' codec can't decode"),
    ],
)
def test_a_file_that_cannot_be_used(lethe: Lethe, directory: Path, content: bytes, said: str) -> None:
    (directory / "lethe.toml").write_bytes(content)
    done = lethe("config", "check")
    assert done.exit_code == 2
    assert said in done.output


def test_everything_that_is_wrong_is_said_at_once(lethe: Lethe) -> None:
    done = lethe("config", "check", LETHE_PORT="x", LETHE_LIMITS__BURST="x", LETHE_LOG__FORMAT="x")
    assert [line.split(":")[0] for line in done.output.splitlines()] == ["port", "log.format", "limits.burst"]


def test_a_misspelt_variable_is_pointed_out(lethe: Lethe) -> None:
    done = lethe("config", "check", LETHE_SECRETKEY="x", LETHE_LIMITS__BURST="5")
    assert "Warning: LETHE_SECRETKEY is set in the environment, and no setting has this name." in done.output
    assert "LETHE_LIMITS" not in done.output


def test_a_wrong_option_is_said_like_a_wrong_setting(lethe: Lethe, directory: Path) -> None:
    done = lethe("serve", "--port", "99999", LETHE_SECRET_KEY=SECRET)
    assert done.exit_code == 2
    assert "port: Input should be less than or equal to 65535" in done.output
    assert SECRET not in done.output
    assert not (directory / "data").exists()


def test_version_and_help(lethe: Lethe) -> None:
    assert lethe("--version").output.strip() == __version__
    for words in ((), ("config",), ("audit",), ("serve", "--help")):
        assert "Usage" in lethe(*words).output
