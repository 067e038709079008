"""What goes out to WeChat, measured; labels are stable codes, never who."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

calls = Counter(
    "qianmen_wechat_calls", "Calls to the platform, by path and outcome's code.", ("path", "code")
)
sent = Counter(
    "qianmen_wechat_sent", "Messages sent to citizens, by kind; 'failed': it came to nothing.",
    ("kind",),
)  # fmt: skip
late = Histogram(
    "qianmen_wechat_told_seconds",
    "From what was told to its message being with the platform.",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600),
)
held = Counter(
    "qianmen_wechat_held",
    "Times that something waits for the citizen's next message: window, quota, rest, refused.",
    ("why",),
)
tokens = Counter("qianmen_wechat_tokens", "Access tokens fetched, by outcome's code.", ("code",))
token_until = Gauge(
    "qianmen_wechat_token_until", "When this process's access token ends (s, Unix time)."
)
media = Counter("qianmen_wechat_media", "Files fetched, by kind and outcome's code.",
                ("kind", "code"))  # fmt: skip
notices = Counter("qianmen_wechat_notices", "Order notices, by outcome's code.", ("code",))
