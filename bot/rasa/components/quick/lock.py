"""A conversation's lock with three words to Redis where Rasa needs eight.

Rasa reads the lock, writes it empty, writes it with its ticket and reads it again; at the end it
reads, writes, reads and deletes it. Where nobody holds it, one ``SET NX`` writes the same; at the
end what was read once tells whether anybody waits. Where somebody does hold it, Rasa's own way is
gone. The lock looks the same in Redis: Rasa without this module, or an older one of ours, can
stand in the same line.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rasa.core.lock import TicketLock
from rasa.core.lock_store import LOCK_LIFETIME, LockError, LockStore, RedisLockStore


def install() -> None:
    """Take the place of Rasa's for Redis only."""
    RedisLockStore.lock = lock
    RedisLockStore.cleanup = cleanup


@asynccontextmanager
async def lock(
    self: RedisLockStore,
    conversation_id: str,
    lock_lifetime: float = LOCK_LIFETIME,
    wait_time_in_seconds: float = 1,
) -> AsyncIterator[TicketLock]:
    """Hold the lock of one conversation; s. Raises LockError as Rasa's does."""
    held = TicketLock(conversation_id)
    ticket = held.issue_ticket(lock_lifetime)
    try:
        free = self.red.set(self.key_prefix + conversation_id, held.dumps(), nx=True)
    except Exception as error:
        raise LockError(f"Error while acquiring lock. Error:\n{error}") from error
    if not free:
        async with LockStore.lock(
            self, conversation_id, lock_lifetime, wait_time_in_seconds
        ) as held:
            yield held
        return
    try:
        yield held
    finally:
        self.cleanup(conversation_id, ticket)


def cleanup(self: RedisLockStore, conversation_id: str, ticket_number: int) -> None:
    """Give the ticket back, and the lock where nobody waits for it."""
    held = self.get_lock(conversation_id)
    if held is None:
        return
    held.remove_ticket_for(ticket_number)
    if held.is_someone_waiting():
        self.save_lock(held)
    else:
        self.delete_lock(conversation_id)
