"""What the measurements ask; none of it stands in any training text (a test proves it)."""

from __future__ import annotations

CALLS = (
    (
        "我在这边租房住，公积金能拿出来用吗",
        "那我得准备哪些材料啊",
        "交上去以后要等多少天",
        "是要去哪个窗口交",
        "我想问一下买房子怎么取公积金",
        "取这个要不要交钱",
    ),
    (
        "退休了公积金还能不能取",
        "办这个得带些什么东西",
        "大概多久能批下来",
        "我该上哪儿去办呀",
        "那个还房贷可不可以用公积金",
        "一次最多能取多少钱",
    ),
)
"""Calls of six turns; asked in turn until there are enough."""

CHAT = (
    "我在这边租房住，公积金能拿出来用吗？",
    "那我得准备哪些材料啊",
    "交上去以后要等多少天？",
    "是要去哪个窗口交",
    "我想问一下买房子怎么取公积金",
    "取这个要不要交钱",
)
"""One chat of six turns."""
