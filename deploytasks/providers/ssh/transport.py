"""Paramiko's transport, which also leads to UNIX sockets."""

from __future__ import annotations

import threading
import time

from paramiko import Channel, Transport
from paramiko.common import cMSG_CHANNEL_OPEN
from paramiko.message import Message
from paramiko.ssh_exception import ChannelException, SSHException


class StreamTransport(Transport):
    """Adds ``direct-streamlocal@openssh.com`` (PROTOCOL of OpenSSH, section 2.4), which paramiko cannot open."""

    def open_unix(self, path: str, timeout: float) -> Channel:
        """A channel to the UNIX socket at ``path`` on the host, within ``timeout`` seconds.

        Raises paramiko's ``SSHException``. Follows ``Transport.open_channel``, which knows other fields only.
        """
        if not self.is_active():
            raise SSHException("the connection is closed")
        with self.lock:
            number = self._next_channel()
            window, packet = self._sanitize_window_size(None), self._sanitize_packet_size(None)
            message = Message()
            message.add_byte(cMSG_CHANNEL_OPEN)
            message.add_string("direct-streamlocal@openssh.com")
            for value in (number, window, packet):
                message.add_int(value)
            message.add_string(path)
            message.add_string("")
            message.add_int(0)
            channel = Channel(number)
            self._channels.put(number, channel)
            self.channel_events[number] = opened = threading.Event()
            self.channels_seen[number] = True
            channel._set_transport(self)  # noqa: SLF001  # see above
            channel._set_window(window, packet)  # noqa: SLF001  # see above
        self._send_user_message(message)
        return self._opened(number, opened, time.monotonic() + timeout)

    def _opened(self, number: int, opened: threading.Event, deadline: float) -> Channel:
        while not opened.wait(0.1):
            if not self.is_active() or time.monotonic() > deadline:
                raise SSHException("no answer to the request for a UNIX socket")
        channel = self._channels.get(number)
        if channel is None:
            raise self.get_exception() or ChannelException(2, "Connect failed")
        assert isinstance(channel, Channel)
        return channel
