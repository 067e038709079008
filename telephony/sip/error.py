"""What the SIP parsers raise, and nothing else."""

from __future__ import annotations


class SipError(Exception):
    """Bytes or fields that are not fit for use.

    ``code`` is stable: ``malformed``, ``missing_header``, ``cseq``, ``content_length``,
    ``version``, ``uri``, ``via``, ``sdp``, ``sdp_address``, ``no_common_codec``,
    ``media_type``, ``scheme``. ``status`` is the SIP status that fits as the answer.
    """

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(message or code)
        self.code = code
        self.status = status
