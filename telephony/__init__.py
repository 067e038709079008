"""The phone line: SIP, RTP, and the call as the caller lives it."""
