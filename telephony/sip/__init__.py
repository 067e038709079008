"""SIP (RFC 3261) over UDP: messages, transactions, dialogs, and the default line engine."""
