"""One access token for all processes, whoever of them dies, and without Redis too."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
import redis.asyncio as redis
from structlog.testing import capture_logs

from chat.wechat.errors import WeChatError
from chat.wechat.token import LOCK_S, Account, Tokens, read_token
from tests.chat.wechat.rig import APPID, BASE, SECRET, Rig


async def lose(tokens: Tokens) -> None:
    """As another process, which knows nothing yet."""
    tokens._held = None


async def test_one_fetch_serves_all_processes(shared: redis.Redis) -> None:
    rig = Rig()
    processes = [rig.tokens(shared) for _ in range(5)]
    found = await asyncio.gather(*(each.get() for each in processes for _ in range(3)))
    assert len(set(found)) == 1
    assert len(rig.requests) == 1


async def test_it_is_fetched_before_it_ends(shared: redis.Redis) -> None:
    rig = Rig()
    one, other = rig.tokens(shared), rig.tokens(shared)
    first = await one.get()
    rig.clock.go(7200 - 301)
    assert await one.get() == first
    rig.clock.go(2)
    second = await one.get()
    assert second != first
    assert await other.get() == second
    rig.platform.tokens.check(first, rig.clock.seconds())  # who has the old one may go on
    assert len(rig.requests) == 2


async def test_who_dies_with_the_lock_holds_nobody_up_for_long(shared: redis.Redis) -> None:
    rig = Rig()
    dead = rig.tokens(shared)
    lock = await dead._lock()
    assert lock is not None
    alive = rig.tokens(shared)
    waited = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal waited
        waited += seconds
        if waited > LOCK_S:  # what Redis does by itself in real time
            await shared.delete(f"{dead._name}:lock")

    alive._sleep = sleep
    assert await alive.get()
    assert waited <= LOCK_S + 1


async def test_while_one_fetches_the_others_use_the_old_one(shared: redis.Redis) -> None:
    rig = Rig()
    one, other = rig.tokens(shared), rig.tokens(shared)
    first = await one.get()
    rig.clock.go(7200 - 100)
    assert await one._lock() is not None
    assert await other.get() == first
    assert not rig.clock.slept


async def test_what_comes_late_is_not_taken(shared: redis.Redis) -> None:
    rig = Rig()
    slow, fast = rig.tokens(shared), rig.tokens(shared)
    lock = await slow._lock()
    assert lock is not None
    late = await slow._fetch(force=False)
    await shared.delete(f"{slow._name}:lock")  # the lock has ended meanwhile
    rig.platform.tokens.kill()
    newer = await fast.renew(late.value)
    await slow._write(late, lock[1])
    assert await rig.tokens(shared).get() == newer


async def test_a_token_that_is_refused_is_replaced_for_all(shared: redis.Redis) -> None:
    rig = Rig()
    one, other = rig.tokens(shared), rig.tokens(shared)
    first = await one.get()
    await other.get()
    rig.platform.tokens.kill(first)
    second = await one.renew(first)
    assert second != first
    rig.platform.tokens.check(second, rig.clock.seconds())
    asked = len(rig.requests)
    assert await other.renew(first) == second
    assert len(rig.requests) == asked, "the other only looked"


async def test_a_refresh_is_not_forced_again_and_again(shared: redis.Redis) -> None:
    rig = Rig()
    tokens = rig.tokens(shared)
    first = await tokens.get()
    second = await tokens.renew(first)
    with pytest.raises(WeChatError, match="token_invalid"):
        await tokens.renew(second)
    with pytest.raises(WeChatError, match="token_invalid"):
        await rig.tokens(shared).renew(second)
    forced = [json.loads(request.content)["force_refresh"] for request in rig.requests]
    assert forced.count(True) == 1


async def test_without_redis_everybody_fetches_the_same_token() -> None:
    rig = Rig()
    nobody = redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=1)
    one, other = rig.tokens(nobody), rig.tokens(nobody)
    assert await one.get() == await other.get()
    assert len(rig.requests) == 2
    await nobody.aclose()


async def test_it_stands_sealed_in_redis(shared: redis.Redis) -> None:
    rig = Rig()
    token = await rig.tokens(shared).get()
    kept = [await shared.dump(key) for key in await shared.keys("*")]
    assert kept
    assert all(token.encode() not in (dumped or b"") for dumped in kept)
    assert all(APPID.encode() not in key for key in await shared.keys("*"))
    stranger = Tokens(Account(APPID, "another secret", BASE), rig.client(), shared,
                      now=rig.clock.seconds, sleep=rig.clock.sleep)  # fmt: skip
    with pytest.raises(WeChatError, match="secret_invalid"):
        await stranger.get()


async def test_a_wrong_secret_is_not_asked_with_again_at_once() -> None:
    rig = Rig()
    tokens = Tokens(Account(APPID, "wrong", BASE), rig.client(), None, now=rig.clock.seconds)
    with capture_logs() as logs:
        for _ in range(3):
            with pytest.raises(WeChatError, match="secret_invalid"):
                await tokens.get()
    assert len(rig.requests) == 1
    assert "wrong" not in json.dumps(logs)
    rig.clock.go(6)
    with pytest.raises(WeChatError, match="secret_invalid"):
        await tokens.get()
    assert len(rig.requests) == 2


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "wechat_malformed"), (b"[]", "wechat_malformed"), (b"{}", "wechat_malformed"),
     (b'{"access_token": 5, "expires_in": 7200}', "wechat_malformed"),
     (b'{"access_token": "x", "expires_in": true}', "wechat_malformed"),
     (b'{"access_token": "x", "expires_in": -1}', "wechat_malformed"),
     (b'{"errcode": 40013, "errmsg": "invalid appid"}', "appid_invalid"),
     (b'{"errcode": 40164, "errmsg": "invalid ip 1.2.3.4"}', "address_not_listed")],
)  # fmt: skip
def test_answers_that_are_no_token(content: bytes, code: str) -> None:
    with pytest.raises(WeChatError) as refused:
        read_token(content, 0.0)
    assert refused.value.code == code


def test_nothing_secret_is_shown() -> None:
    token = read_token(b'{"access_token": "TOPSECRET", "expires_in": 7200}', 0.0)
    assert "TOPSECRET" not in repr(token)
    assert SECRET not in repr(Account(APPID, SECRET))


async def test_down_is_down() -> None:
    rig = Rig(unreachable=1)
    with pytest.raises(WeChatError, match="wechat_unreachable"):
        await rig.tokens().get()
    assert isinstance(rig.requests[0], httpx.Request)
