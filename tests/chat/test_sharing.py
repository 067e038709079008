"""Limits of several web processes, shared over a real Valkey."""

from __future__ import annotations

import pytest
import redis.asyncio as redis
from redis.exceptions import RedisError

from chat.limits import Limiter, Limits, Rate
from chat.sharing import Sharing

RATE = Rate(burst=4, per_s=0.001)
"""A test is over long before anything comes back."""


class Process:
    def __init__(self, shared: redis.Redis, secret: str = "s") -> None:
        self.limiter, self.now_s = Limiter(RATE), 0.0
        self.sharing = Sharing({"session": self.limiter}, shared, secret, lambda: self.now_s)

    def writes(self, times: int, who: str = "a") -> int:
        """How many of so many messages were taken."""
        return sum(self.limiter.allow(who, self.now_s) for _ in range(times))


async def test_what_one_gave_the_others_do_not_give_again(shared: redis.Redis) -> None:
    one, other = Process(shared), Process(shared)
    assert one.writes(3) == 3
    assert await one.sharing.exchange() == 1
    assert other.writes(1) == 1  # it may give of its own until it has asked
    assert await other.sharing.exchange() == 1
    assert other.writes(5) == 0
    assert other.writes(5, "b") == 4  # somebody else
    assert one.writes(5) == 1
    assert await one.sharing.exchange() == 1
    other.now_s = one.now_s = 900  # 0.9 of a message came back, and one was too many
    assert (one.writes(1), other.writes(1)) == (0, 0)


async def test_what_is_taken_while_redis_is_asked_counts_too(shared: redis.Redis) -> None:
    one = Process(shared)
    one.writes(2)
    spent = one.limiter.spent()
    one.writes(1)
    one.limiter.lower("a", RATE.burst - spent["a"], 0)
    assert one.writes(5) == 1


async def test_nothing_taken_nothing_asked_and_no_names_are_kept(shared: redis.Redis) -> None:
    one = Process(shared)
    assert await one.sharing.exchange() == 0
    one.writes(1, "o6_bmjrPTlm6_2sgVt7hMZOPfL2M")
    await one.sharing.exchange()
    (key,) = await shared.keys("*")
    assert "qianmen:{limits}:" in str(key)
    assert "o6_" not in str(key)
    assert 0 < await shared.pttl(key) <= 8_001_000
    many = Process(shared)
    for n in range(1200):
        many.writes(1, str(n))
    assert await many.sharing.exchange() == 1200
    assert len(await shared.keys("*")) == 1201


async def test_without_redis_each_goes_by_its_own() -> None:
    nobody = redis.from_url("redis://127.0.0.1:1/0")
    one = Process(nobody)
    assert one.writes(3) == 3
    with pytest.raises((RedisError, OSError)):
        await one.sharing.exchange()
    assert one.writes(5) == 1
    one.sharing.start()
    await one.sharing.stop()


def test_every_limit_of_the_door_is_shared() -> None:
    limits = Limits()
    names = limits.shared()
    assert len(names) == sum(isinstance(one, Limiter) for one in vars(limits).values())
    assert len({id(one) for one in names.values()}) == len(names)
