"""What Slack's one-word errors mean for a message: never to be sent again, or to wait, and for what. Pure.

Sources: docs.slack.dev, "chat.postMessage", "chat.update"; api.slack.com/changelog/2016-05-17, about webhooks.
"""

from __future__ import annotations

import re

NEVER = frozenset(
    (
        "invalid_payload", "invalid_blocks", "invalid_blocks_format", "invalid_attachments", "msg_too_long",
        "msg_blocks_too_long", "no_text", "missing_text_or_fallback_or_attachments", "too_many_attachments",
        "invalid_arguments", "invalid_arg_name", "invalid_array_arg", "invalid_charset", "invalid_form_data",
        "invalid_post_type", "missing_post_type", "invalid_json", "json_not_object",
    )
)  # fmt: skip
"""The message itself is refused: the same one would be again."""
GONE = frozenset(
    (
        "message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found",
        "cannot_reply_to_message", "restricted_action_thread_locked", "restricted_action_non_threadable_channel",
    )
)  # fmt: skip
"""A message cannot be edited or answered any more, but another one can be written."""
TWICE = frozenset(("duplicate_message_not_found", "duplicate_channel_not_found"))
"""It was there already, and is no longer."""
TROUBLE = frozenset(
    (
        "ratelimited", "rate_limited", "message_limit_exceeded", "service_unavailable", "fatal_error",
        "internal_error", "request_timeout", "rollup_error", "team_added_to_org", "org_login_required",
    )
)  # fmt: skip
"""It passes by itself."""
_HOOK = "make a new webhook in the settings of the app, and put its URL into {variable}"
_DO = {
    "not_in_channel": "invite the bot: /invite @NAME in {channel}, or give it the scope chat:write.public",
    "channel_not_found": "check `channel`: its id is at the end of what Slack shows about it; invite the bot if the "
    "channel is private",
    "is_archived": "name another `channel`, or open {channel} again",
    "missing_scope": "give the app the scope chat:write, and install it anew",
    "no_permission": "give the app the scope chat:write, invite it to {channel}",
    "not_authed": "check the token in {variable}",
    "invalid_auth": "check the token in {variable}: it begins with xoxb-",
    "account_inactive": "install the app anew, and put its token into {variable}",
    "token_revoked": "install the app anew, and put its token into {variable}",
    "token_expired": "install the app anew, and put its token into {variable}",
    "not_allowed_token_type": "the token of a bot is needed in {variable}: it begins with xoxb-",
    "ekm_access_denied": "ask an administrator of the workspace",
    "accesslimited": "allow the address of this machine in the workspace's settings",
}
_DO_HOOK = {
    "action_prohibited": "ask an administrator of the workspace: webhooks may not write there",
    "channel_is_archived": "open the channel again, or make a webhook for another one and put it into {variable}",
    "channel_not_found": "the channel is gone: " + _HOOK,
    "user_not_found": _HOOK,
}


def advice(word: str, *, variable: str, channel: str = "") -> str:
    """What to do about an error. ``channel``: of a bot; without it a webhook is spoken of."""
    known, otherwise = (_DO, "look it up on docs.slack.dev, at chat.postMessage") if channel else (_DO_HOOK, _HOOK)
    return known.get(word, otherwise).format(variable=variable, channel=channel)


def is_word(said: str) -> bool:
    """Whether this is an error as Slack names them. Anything else is never repeated: it may have the URL in it."""
    return re.fullmatch(r"[a-z][a-z_]{2,60}", said) is not None
