"""Where links may connect to: nothing on our own network that the city did not allow."""

from __future__ import annotations

import pytest

from handoff.links.guard import GuardError, Place, check, place


def refused(address: str, *, allow_private: bool = False) -> str:
    try:
        check(address, allow_private=allow_private)
    except GuardError as error:
        return error.code
    return ""


PRIVATE = ["127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "192.168.1.1", "::1", "fd12::1",
           "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1"]  # fmt: skip
NEVER = ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0", "224.0.0.1",
         "ff02::1", "0.0.0.0", "0.1.2.3", "::", "255.255.255.255", "100.64.0.1", "fd00:ec2::254",
         "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "no address", ""]  # fmt: skip


@pytest.mark.parametrize("address", ["8.8.8.8", "114.114.114.114", "2606:4700::1111"])
def test_the_public_internet_is_open(address: str) -> None:
    assert refused(address) == ""


@pytest.mark.parametrize("address", PRIVATE)
def test_our_own_network_wants_the_citys_word(address: str) -> None:
    assert refused(address) == "address_private"
    assert refused(address, allow_private=True) == ""


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_reached(address: str) -> None:
    assert refused(address) in ("address_forbidden", "address_private")
    assert refused(address, allow_private=True) == "address_forbidden"


class Names:
    """A resolver that changes its mind, as one that rebinds does."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.answers, self.asked = list(answers), 0

    async def __call__(self, host: str, port: int) -> tuple[str, ...]:
        self.asked += 1
        return self.answers.pop(0)


async def test_a_name_is_resolved_once_and_that_address_used() -> None:
    names = Names(("8.8.8.8",), ("127.0.0.1",))
    found = await place("https://far.test:8443/a?b=c", allow_private=False, resolve=names)
    assert found == Place("8.8.8.8", "far.test:8443", "https://8.8.8.8:8443/a?b=c")
    assert names.asked == 1


async def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    names = Names(("8.8.8.8", "10.0.0.1"))
    with pytest.raises(GuardError, match="address_private"):
        await place("http://far.test/", allow_private=False, resolve=names)


async def test_ipv6_stands_in_brackets() -> None:
    names = Names(("2606:4700::1111",), ("2606:4700::1111",))
    found = await place("http://far.test/x", allow_private=False, resolve=names)
    assert (found.url, found.host) == ("http://[2606:4700::1111]/x", "far.test")
    found = await place("http://[2606:4700::1111]:80/x", allow_private=False, resolve=names)
    assert found.host == "[2606:4700::1111]:80"


async def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(GuardError, match="name_unknown"):
        await place("http://far.test/", allow_private=True, resolve=Names(()))
    with pytest.raises(GuardError, match="name_unknown"):
        await place("http://no-such-name.invalid/", allow_private=True)


@pytest.mark.parametrize("url", [
    "file:///etc/passwd", "gopher://8.8.8.8/", "http://", "http://[", "http://a:b@8.8.8.8/",
    "http://8.8.8.8:99999/", "",
])  # fmt: skip
async def test_what_is_no_http_url_is_refused(url: str) -> None:
    with pytest.raises(GuardError, match="url_refused"):
        await place(url, allow_private=True, resolve=Names(("8.8.8.8",)))


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "localhost"])
async def test_other_spellings_of_loopback_are_resolved_first(host: str) -> None:
    with pytest.raises(GuardError, match=r"address_private|name_unknown"):
        await place(f"http://{host}/", allow_private=False)
