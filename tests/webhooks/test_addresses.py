"""Where a webhook may lead is decided by the address that is connected to, at the moment of connecting."""

from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

import pytest

from lethe.clock import monotonic_seconds
from lethe.domain.addresses import Address, AddressRule
from lethe.webhooks.poster import Poster
from support.receiver import Receiver

from .conftest import LOOPBACK

SECRET = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cywgbG9uZyBlbm91Z2g="
NOT_PUBLIC = "the host leads to an address that is not public"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1", "fc00::1",
        "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "2002:a00:1::",
        "2002:7f00:1::",
    ],
)  # fmt: skip
def test_special_addresses_are_not_admitted(address: str) -> None:
    assert not AddressRule().admits(ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "::ffff:8.8.8.8"])
def test_public_addresses_are_admitted(address: str) -> None:
    assert AddressRule().admits(ip_address(address))


def test_the_settings_admit_networks_and_nothing_beside_them() -> None:
    rule = AddressRule((ip_network("10.1.0.0/16"), ip_network("fd00:1::/32")))
    tried = ("10.1.2.3", "::ffff:10.1.2.3", "10.2.0.1", "fd00:1::5", "fd00:2::5", "127.0.0.1")
    assert [each for each in tried if rule.admits(ip_address(each))] == ["10.1.2.3", "::ffff:10.1.2.3", "fd00:1::5"]


def poster(rule: AddressRule, *addresses: str) -> tuple[Poster, list[str]]:
    """A poster for whom every name leads to these addresses, and the names that it looked up."""
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[Address]:
        asked.append(host)
        return [ip_address(each) for each in addresses]

    now = lambda: datetime.now(UTC)  # noqa: E731
    return Poster(rule, 5, now=now, monotonic=monotonic_seconds, resolve=resolve), asked


def test_a_name_that_leads_inside_is_not_connected_to(receiver: Receiver) -> None:
    receiver.secret = SECRET
    url = receiver.url.replace("127.0.0.1", "hooks.example.com")
    for addresses in (["127.0.0.1"], ["10.0.0.1", "127.0.0.1"], ["::ffff:127.0.0.1"], []):
        sends, asked = poster(AddressRule(), *addresses)
        assert sends.send(url, "m", [SECRET], b"{}").problem == NOT_PUBLIC
        assert asked == ["hooks.example.com"]
    assert receiver.messages == receiver.bad == []


def test_a_name_is_resolved_once_and_what_was_judged_is_connected_to(receiver: Receiver) -> None:
    """The second look-up of a name that changes its mind never happens."""
    receiver.secret = SECRET
    url = receiver.url.replace("127.0.0.1", "hooks.example.com")
    sends, asked = poster(LOOPBACK, "10.0.0.1", "127.0.0.1")
    answered = sends.send(url, "m", [SECRET], b'{"subject": "x", "type": "y"}')
    assert (answered.status, answered.problem) == (204, None)
    assert asked == ["hooks.example.com"]
    assert receiver.messages[0].headers["host"].startswith("hooks.example.com")


def test_names_that_cannot_be_resolved_are_a_failure_like_any_other() -> None:
    def resolve(_host: str, _port: int) -> list[Address]:
        raise OSError("sesame")

    now = lambda: datetime.now(UTC)  # noqa: E731
    sends = Poster(LOOPBACK, 5, now=now, monotonic=monotonic_seconds, resolve=resolve)
    answered = sends.send("https://hooks.example.com/?token=sesame", "m", [SECRET], b"{}")
    assert answered.status is None
    assert answered.problem == "the receiver cannot be reached (OSError)"
