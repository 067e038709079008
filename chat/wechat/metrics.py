"""What comes from WeChat and goes out to it, measured; labels are stable codes, never who."""

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
received = Counter(
    "qianmen_wechat_received", "Messages and events of the platform's, by kind; retries too.",
    ("kind",),
)  # fmt: skip
refused = Counter(
    "qianmen_wechat_refused",
    "Requests that were not taken, by code: signature_wrong, stamp_stale, store_down …",
    ("code",),
)  # fmt: skip
answered = Counter(
    "qianmen_wechat_answered",
    "Requests by how they were answered: passive, success, repeat, event, too_fast, not_written.",
    ("how",),
)  # fmt: skip
undecided = Counter(
    "qianmen_wechat_undecided", "Answers at once that the database did not take in time, by code.",
    ("code",),
)  # fmt: skip
answer_seconds = Histogram(
    "qianmen_wechat_answer_seconds",
    "From a request's coming to its answer; the platform waits for 5 s.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 4.5, 4.8, 5),
)
