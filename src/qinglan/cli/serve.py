"""`qinglan up`: the server with its pages and its jobs worker; on this machine only until there are accounts."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING, Annotated

import typer

from qinglan.cli.application import Home, errors, output
from qinglan.core.errors import BusyError, InputError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from qinglan.base.settings import Settings

_GRACE_SECONDS = 10
_MOST_REQUESTS_AT_ONCE = 256


def add(root: typer.Typer) -> None:
    """Add the command."""
    root.command(name="up", help="启动服务与页面。 Start the server and its pages.")(up)


def up(
    home: Home = None,
    host: Annotated[
        str | None, typer.Option("--host", help="绑定的地址（默认 127.0.0.1；有账户后才可绑定其他地址）。 The address.")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="端口（默认 8212；0 为任选）。 The port; 0: any.")
    ] = None,
    open_browser: Annotated[
        bool | None, typer.Option("--open/--no-open", help="启动后打开浏览器。 Open a browser when started.")
    ] = None,
) -> None:
    """Serve one home folder until it is interrupted."""
    from qinglan.base.settings import Settings
    from qinglan.web.security import is_loopback

    settings = Settings.load(home)
    bound = settings.host if host is None else host
    people = not is_loopback(bound) and _has_accounts(settings)
    listener = listen(bound, settings.port if port is None else port, people=people)

    from qinglan.app import Application
    from qinglan.base.identity import links
    from qinglan.base.identity.identity import Actor
    from qinglan.web.application import create_application

    with listener, Application.open(settings) as application:
        if people and not settings.https:
            errors.print(
                "[yellow]![/] 口令将以明文经过网络：请在前面放置 TLS 代理并设置 https = true。 "
                "Passwords cross the network in the clear: put a TLS proxy in front and set https = true."
            )
        link = None
        if not application.identity.exist():
            link = links.ADDRESS.lstrip("/") + links.make(application.identity, Actor("cli:up"))
        serve(create_application(application), listener, open_browser=open_browser, first_link=link)


def _has_accounts(settings: Settings) -> bool:
    from qinglan.app import identity_of
    from qinglan.base.database import open_base

    engine = open_base(settings)
    try:
        return identity_of(settings, engine).exist()
    finally:
        engine.dispose()


def listen(host: str, port: int, *, people: bool = False) -> socket.socket:
    """Return a socket that listens: on loopback, or anywhere once there are accounts.

    Raises
    ------
    InputError
        If `host` is not loopback and there are no accounts, or it is no address of this machine.
    BusyError
        If another program listens on the port already.
    """
    from qinglan.web.security import require_loopback

    if not people:
        require_loopback(host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name != "nt":  # On Windows this option would let two programs share the port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host.strip("[]"), port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            raise BusyError(
                f"端口 {port} 已被占用或不许使用：请用 --port 另选一个，或先停止占用它的程序。",
                f"Port {port} is taken or may not be used: choose another with --port, "
                "or stop the program that holds it.",
                field="port",
            ) from error
        raise InputError(
            f"无法在 {host} 上监听：{error.strerror}；请用 --host 127.0.0.1。",
            f"Cannot listen on {host}: {error.strerror}; use --host 127.0.0.1.",
            field="host",
        ) from error
    return listener


def address(listener: socket.socket) -> str:
    """Return the address that a browser opens."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve(
    app: FastAPI,
    listener: socket.socket,
    *,
    open_browser: bool | None = None,
    log_level: int = logging.INFO,
    first_link: str | None = None,
) -> None:
    """Serve `app` on `listener` until it is interrupted; the address is printed when it answers.

    Parameters
    ----------
    open_browser
        Whether to open a browser; None: if a person sits at a graphical screen.
    log_level
        What is less important is not logged; a line a request is of level INFO.
    first_link
        The rest of the address at which the first administrator sets up an account; None: not shown.
    """
    import uvicorn

    from qinglan.web.observed import configure_logs

    configure_logs(level=log_level)
    where = address(listener)
    wanted = _has_screen() if open_browser is None else open_browser

    class Announced(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started and not self.should_exit:
                output.print(f"晴岚已启动：{where}  （Ctrl+C 停止） Qinglan is running; press Ctrl+C to stop.")
                if first_link is not None:
                    output.print(
                        "尚无账户：本机可不登录使用。启用账户请打开这个一次性链接： "
                        f"No accounts yet; to begin with them, open this one-time link:\n{where}{first_link}"
                    )
                if wanted:
                    threading.Thread(target=webbrowser.open, args=(where,), daemon=True).start()

    config = uvicorn.Config(
        app,
        loop="auto",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MOST_REQUESTS_AT_ONCE,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = Announced(config)
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        output.print("已停止。 Stopped.")
    if not server.started:
        raise typer.Exit(1)


def _has_screen() -> bool:
    if not sys.stdout.isatty():
        return False
    return sys.platform in {"win32", "darwin"} or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
