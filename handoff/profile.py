"""What may be said of somebody of the staff: login, name, roles, telephone, skills. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

ROLES = {
    "agent": "坐席",
    "editor": "知识编辑",
    "approver": "知识审核",
    "supervisor": "班长",
    "administrator": "系统管理员",
}
"""The roles and what people call them."""
MAX_CAPACITY = 20
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
# Who else acts in orders and in the audit: nobody may pass for them.
_RESERVED = frozenset(
    {"agent", "bot", "citizen", "command-line", "new", "single-sign-on", "staff", "system"}
)
_PHONE = re.compile(r"(sips?:[^\s@<>\"]+@[^\s@<>\"]+|tel:\+?[0-9-]+)")
MAX_NAME = 50
_MAX_SUBJECT = 500
_MAX_URI = 200


class StaffError(Exception):
    """What was asked for cannot be; ``code`` is stable, the message is for people.

    Codes: capacity_invalid, last_administrator, login_invalid, login_taken, name_invalid,
    password_weak, phone_invalid, role_missing, role_unknown, skill_invalid, staff_unknown,
    subject_invalid, subject_taken.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of somebody beside login and password; ``phone_uri`` rings at handovers."""

    name: str
    roles: tuple[str, ...]
    phone_uri: str = ""
    skills: tuple[str, ...] = ()
    capacity: int = 1


def check_login(login: str) -> None:
    """Raise :class:`StaffError` ``login_invalid`` for what nobody new can be called."""
    if not _LOGIN.fullmatch(login) or login in _RESERVED:
        rule = "登录名用 2 到 64 个小写字母、数字和 . _ - @，以字母或数字开头"
        raise StaffError("login_invalid", rule)


def check_profile(profile: Profile) -> None:
    """Raise :class:`StaffError` for what cannot be stored. Pure."""
    unknown = [role for role in profile.roles if role not in ROLES]
    if unknown:
        raise StaffError("role_unknown", f"没有角色 {unknown[0]}，可以是 {'、'.join(ROLES)}")
    if not profile.roles:
        raise StaffError("role_missing", "至少要有一个角色")
    if not _is_short(profile.name):
        raise StaffError("name_invalid", f"请写姓名，最长 {MAX_NAME} 个字")
    if profile.phone_uri and not _is_phone(profile.phone_uri):
        raise StaffError("phone_invalid", "话机地址的写法是 sip:801@10.0.0.5")
    if not all(_is_short(skill) for skill in profile.skills):
        raise StaffError("skill_invalid", f"技能是不超过 {MAX_NAME} 个字的词")
    if not 0 <= profile.capacity <= MAX_CAPACITY:
        raise StaffError("capacity_invalid", f"同时接待的对话数是 0 到 {MAX_CAPACITY}")


def check_subject(subject: str) -> None:
    """Raise :class:`StaffError` ``subject_invalid`` for what is not ``issuer#sub``."""
    issuer, mark, sub = subject.rpartition("#")
    well_formed = issuer.startswith(("https://", "http://")) and mark and sub
    if not well_formed or len(subject) > _MAX_SUBJECT or not subject.isprintable():
        raise StaffError("subject_invalid", "身份的写法是 签发者网址#用户标识")


def _is_phone(uri: str) -> bool:
    return len(uri) <= _MAX_URI and bool(_PHONE.fullmatch(uri))


def _is_short(text: str) -> bool:
    return bool(text.strip()) and len(text) <= MAX_NAME and text.isprintable()
