"""Messages to people: a run failed, a check turned bad, it is well again; once per change.

Apprise sends them, to mail, chat, pagers and webhooks, and none of it can make a run fail.
"""
