"""`qinglan hj212 simulate`: a fleet of loggers that fills a gateway with made-up packets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from qinglan.cli.application import AsJson, errors, output
from qinglan.core.errors import InputError

if TYPE_CHECKING:
    from qinglan.gateways.hj212.simulate import Summary

_WORDS = (
    ("设备", "devices", "devices"),
    ("连接", "connected", "connected"),
    ("报文", "packets", "packets"),
    ("已应答", "acknowledged", "acknowledged"),
    ("未应答", "not acknowledged", "unacknowledged"),
    ("发送次数（含重发）", "transmissions, resends included", "sends"),
    ("积压未发", "never sent, memory full", "overrun"),
    ("重新连接", "connected again", "reconnects"),
    ("连接被拒", "connections refused", "refused"),
)


def simulate(
    *,
    to: Annotated[str, typer.Option("--to", metavar="HOST:PORT", help="接收端。 The receiver.")] = "127.0.0.1:9212",
    devices: Annotated[int, typer.Option("--devices", "-n", help="设备数。 How many loggers.")] = 10,
    profile: Annotated[
        Literal["wastewater", "gas", "station", "surface-water"],
        typer.Option("--profile", help="设备种类。 What they measure."),
    ] = "wastewater",
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate", "--packets/s", help="全部设备每秒报文数（默认每台 30 秒一包）。 Packets a second of all."
        ),
    ] = None,
    duration: Annotated[float, typer.Option("--duration", help="秒，最长 900。 Seconds, at most 900.")] = 60.0,
    burst: Annotated[
        int | None, typer.Option("--burst", help="一次发出这么多报文后停止。 Send so many at once, then stop.")
    ] = None,
    data: Annotated[
        Literal["mixed", "realtime", "minute", "hour", "day"], typer.Option("--data", help="数据种类。 Which data.")
    ] = "mixed",
    faults: Annotated[
        str,
        typer.Option(
            "--faults",
            help="故障，以逗号分隔：drift,gaps,resends,clock,half,disconnect,bad-crc,unknown-mn。 What goes wrong.",
        ),
    ] = "",
    share: Annotated[
        float, typer.Option("--share", help="故障所占设备或报文的比例。 The share of devices or packets it strikes.")
    ] = 0.05,
    seed: Annotated[int, typer.Option("--seed", help="随机种子。 The seed.")] = 0,
    window: Annotated[
        int, typer.Option("--window", help="未得应答时最多连发的报文数。 Packets sent before one is answered.")
    ] = 1,
    timeout: Annotated[float, typer.Option("--timeout", help="等待应答的秒数。 Seconds to wait for an answer.")] = 10.0,
    retries: Annotated[int, typer.Option("--retries", help="重发次数。 Resends before connecting again.")] = 3,
    grace: Annotated[
        float, typer.Option("--grace", help="结束后等待应答的秒数。 Seconds to wait for the last answers.")
    ] = 15.0,
    password: Annotated[str, typer.Option("--password", help="PW。 PW of the packets.")] = "123456",
    first: Annotated[int, typer.Option("--first", help="首台设备的序号。 Index of the first device.")] = 0,
    record: Annotated[
        Path | None,
        typer.Option(
            "--record", help="逐包记录发送与应答（JSON 行）。 Record each packet as a JSON line.", dir_okay=False
        ),
    ] = None,
    processes: Annotated[int, typer.Option("--processes", help="进程数。 Processes.")] = 1,
    list_devices: Annotated[
        bool, typer.Option("--list-devices", help="只列出设备号（MN）。 Only list the devices' numbers (MN).")
    ] = False,
    really: Annotated[
        bool, typer.Option("--really", help="允许发往其他机器。 Allow another machine as the receiver.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send as DEVICES loggers would; exit code 1 if a packet stayed without an answer. Stops by itself."""
    from qinglan.gateways.hj212.simulate import Settings, device_number, run

    host, port = _address(to)
    settings = Settings(
        host=host,
        port=port,
        devices=devices,
        profile=profile,
        rate=rate,
        duration=duration,
        burst=burst,
        data=data,
        faults=tuple(fault.strip() for fault in faults.split(",") if fault.strip()),  # type: ignore[misc]
        share=share,
        seed=seed,
        window=window,
        timeout=timeout,
        retries=retries,
        grace=grace,
        password=password,
        record=record,
        first=first,
        processes=processes,
        really=really,
    )
    if list_devices:
        for index in range(first, first + devices):
            typer.echo(device_number(index))
        return
    if not as_json:
        errors.print(
            f"[dim]{devices:,} 台设备 → {host}:{port}，{settings.packets_per_second:g} 包/秒，{duration:g} 秒。"
            " It stops by itself.[/]"
        )
    found = run(settings)
    if as_json:
        output.print_json(data=found.as_json())
    else:
        _show(found)
    if found.unacknowledged:
        raise typer.Exit(1)


def _address(to: str) -> tuple[str, int]:
    host, _, port = to.rpartition(":")
    if not host or not port.isascii() or not port.isdigit():
        raise InputError(
            f"--to 应为“主机:端口”，如 127.0.0.1:9212，收到“{to}”。",
            f'--to should be HOST:PORT, such as 127.0.0.1:9212; got "{to}".',
            field="--to",
        )
    return host.removeprefix("[").removesuffix("]"), int(port)


def _show(found: Summary) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    values = found.as_json()
    for zh, en, name in _WORDS:
        table.add_row(f"{zh} {en}", f"{values[name]:,}")
    table.add_row("应答速率 acknowledged a second", f"{found.rate:,.1f}")
    times = [found.p50, found.p99, found.longest]
    table.add_row(
        "应答时间 time of acknowledgement (p50, p99, max)",
        "  ".join("—" if value is None else f"{value * 1000:,.1f} ms" for value in times),
    )
    for zh, en, counted in (("故障", "fault", found.faults), ("平台命令", "command", found.commands)):
        for name, number in counted.items():
            table.add_row(f"{zh} {en} {name}", f"{number:,}")
    output.print(table)
