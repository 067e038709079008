"""A WeChat platform for trying and testing the front door's account.

It shares no code with ``chat/wechat``: signature, cipher, XML and rules are written from WeChat's
documentation, so that a mistake on one side is not repeated on the other. It is as strict as the
platform, and counts every breach instead of forgiving it.
"""
