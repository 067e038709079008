"""The phrases to recognise where the dialogue expects little, by what it asked. Pure."""

from __future__ import annotations

from turns.replies import Ask, Expects, Say

_YES_NO = (
    "是", "是的", "对", "对的", "好", "好的", "可以", "行", "要", "需要", "没错", "有", "嗯",
    "不是", "不", "不对", "不要", "不用", "不用了", "没有", "没有了",
    "不行", "不可以", "不需要", "错了",
)  # fmt: skip
_DIGITS = tuple("零一幺二两三四五六七八九")
_ALWAYS = ("转人工", "人工", "再说一遍")
_NONE = ("都不是",)


def phrases(reply: Say | Ask) -> tuple[str, ...] | None:
    """What may be answered to ``reply`` in few words; None where anything may be said.

    What a caller says beside these is heard all the same (`asr.narrow`).
    """
    expects: Expects = reply.expects if isinstance(reply, Ask) else "open"
    if expects == "yes_no":
        return (*_YES_NO, *_ALWAYS)
    if expects == "digits":
        return (*_DIGITS, *_ALWAYS)
    if expects == "choice" and isinstance(reply, Ask) and reply.options:
        labels = (label for option in reply.options for label in (option.label, option.value))
        spoken = dict.fromkeys(label for label in labels if _can_be_said(label))
        return (*spoken, *_NONE, *_ALWAYS)
    return None


def _can_be_said(label: str) -> bool:
    """A code or a sentence is no phrase."""
    return 0 < len(label) <= 20 and all("一" <= character <= "鿿" for character in label)
