"""A user of WeChat: sealed, found by their OpenID, given out, erased; then nobody we know."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.records import Opening, commit_heard, open_conversation
from chat.wechat.citizens import Known, Unopened, enter, identity_of
from chat.wechat.incoming import Incoming, heard_of
from chat.wechat.quota import Rules
from config.city import City
from qianmen.keeper.duty import Keeping
from qianmen.keeper.wechat import DUTIES
from qianmen.personal.contents import contents
from qianmen.personal.deeds import By
from qianmen.personal.erase import erase
from qianmen.personal.find import find
from qianmen.personal.reseal import reseal
from store.engine import reading, writing
from store.tables import WechatCitizen, WechatMedia, WechatReply
from tests.qianmen.personal.conftest import KEY, SM4, installation

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=2)
OPENID, WORDS = "o6_bmjrPTlm6_2sgVt7hMZOPfL2M", "楼下烧烤摊油烟太大"
PHOTO = Incoming("gh_1", OPENID, "image", "wx:1", NOW, media_id="media-of-a-citizen")


@pytest.fixture
def sealed(tmp_path: Path, city: City, sqlite_template: Path) -> Iterator[Keeping]:
    kept = installation(tmp_path / "wechat", city, KEY, sqlite_template)
    yield kept
    kept.engine.dispose()


def came(keeping: Keeping, incoming: Incoming, now: datetime = NOW) -> Known:
    """It is written down, in a conversation that is opened for it."""
    found = enter(keeping.engine, incoming, now, Rules())
    if isinstance(found, Unopened):
        opening = Opening(found.conversation, "wechat", "12345", identity_of(incoming), now)
        assert open_conversation(keeping.engine, opening)
        found = enter(keeping.engine, incoming, now, Rules())
    assert isinstance(found, Known)
    heard = heard_of(incoming, "12345", found.conversation)
    if heard is not None:
        commit_heard(keeping.engine, heard)
    with writing(keeping.engine) as session:
        session.get_one(WechatReply, incoming.id).body = f"您说：{incoming.text}"
    return found


def rows(keeping: Keeping) -> int:
    with reading(keeping.engine) as session:
        kinds = (WechatCitizen, WechatReply, WechatMedia)
        return sum(len(session.scalars(select(kind)).all()) for kind in kinds)


def bytes_of(keeping: Keeping) -> bytes:
    folder = keeping.settings.data_dir
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_nothing_of_them_stands_there_plainly(sealed: Keeping) -> None:
    came(sealed, PHOTO)
    came(sealed, Incoming("gh_1", OPENID, "text", "wx:2", NOW, text=WORDS))
    content = bytes_of(sealed)
    for secret in (OPENID, WORDS, PHOTO.media_id):
        assert secret.encode() not in content


def test_they_are_found_by_their_identity_given_out_and_erased(sealed: Keeping) -> None:
    known = came(sealed, PHOTO)
    came(sealed, Incoming("gh_1", "another", "text", "wx:9", NOW, text="你好"))
    who = identity_of(PHOTO)
    (concerned,) = find(sealed.engine, who)
    with reading(sealed.engine) as session:
        (told,) = contents(session, concerned)["wechat"]
    assert (told["openid"], told["account"]) == (OPENID, "gh_1")
    assert rows(sealed) == 5
    done = erase(sealed, who, By("王芳", "root"), LATER)
    assert (done.conversations, rows(sealed)) == (1, 2)
    assert find(sealed.engine, who) == ()
    again = came(sealed, Incoming("gh_1", OPENID, "text", "wx:3", LATER, text="又来"), LATER)
    assert again.conversation != known.conversation


def test_they_are_found_with_the_key_of_before_and_the_next(sealed: Keeping, city: City) -> None:
    known = came(sealed, PHOTO)
    both = installation(sealed.settings.data_dir, city, f"{SM4} {KEY}")
    second = came(both, Incoming("gh_1", OPENID, "text", "wx:2", NOW, text="在吗"))
    assert (second.citizen, second.conversation) == (known.citizen, known.conversation)
    assert not reseal(both, NOW).broken
    third = came(both, Incoming("gh_1", OPENID, "text", "wx:3", NOW, text="还在吗"))
    assert third.citizen == known.citizen
    both.engine.dispose()


def test_answers_for_retries_are_kept_for_hours_not_for_days(sealed: Keeping) -> None:
    came(sealed, PHOTO)
    (duty,) = DUTIES
    duty.work(sealed, NOW + timedelta(hours=1))
    assert rows(sealed) == 3
    duty.work(sealed, NOW + timedelta(hours=7))
    assert rows(sealed) == 2
