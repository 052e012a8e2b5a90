"""The port that several processes share."""

from __future__ import annotations

import errno
import socket

from qinglan.core.errors import BusyError, InputError


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address that several processes may listen on.

    Raises
    ------
    BusyError
        If another program holds the port.
    InputError
        If the address is none of this machine.
    """
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        found.bind((host, port))
    except OSError as error:
        found.close()
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            raise BusyError(
                f"端口 {port} 已被占用或不许使用：请用 --port 另选一个，或先停止占用它的程序。",
                f"Port {port} is taken or may not be used: choose another with --port, or stop what holds it.",
                field="port",
            ) from error
        raise InputError(
            f"无法在 {host} 上监听：{error.strerror}；请用 --host 写明本机的地址。",
            f"Cannot listen on {host}: {error.strerror}; name an address of this machine with --host.",
            field="host",
        ) from error
    return found
