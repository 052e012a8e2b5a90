"""`qinglan gateway`: monitors connect here by HJ 212; its devices, its packets, how it does."""

from __future__ import annotations

import signal
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape
from rich.table import Table

from qinglan.cli.application import AsJson, Home, existing, output
from qinglan.cli.usage import a_date

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from qinglan.base.settings import Settings
    from qinglan.gateways.hj212.devices import Device

Number = Annotated[str, typer.Argument(metavar="MN", help="设备编号。 The device's number.")]
Start = Annotated[
    datetime | None, typer.Option("--from", parser=a_date, metavar="DATE", help="自此日起接收的。 Received since.")
]
End = Annotated[
    datetime | None, typer.Option("--to", parser=a_date, metavar="DATE", help="至此日止（含）。 Through that day.")
]


def add(root: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="HJ 212 网关：监测设备由此接入。 The HJ 212 gateway.", no_args_is_help=True)
    group.command(name="serve", help="启动网关。 Serve.")(serve)
    group.command(name="status", help="运行状况。 How it does.")(status)
    group.command(name="devices", help="设备清单，或从文件登记设备。 List devices, or declare them.")(devices)
    group.command(name="adopt", help="接入隔离的设备，并补入其数据。 Adopt a device and its data.")(adopt)
    group.command(name="block", help="停用设备，断开其连接。 Block a device.")(block)
    group.command(name="replay", help="按现在的登记重新入库。 Take a device's packets again.")(replay)
    group.command(name="packets", help="查报文。 Search packets.")(packets)
    group.command(name="events", help="设备上报的事件。 What a device reported in words.")(events)
    group.command(name="maintain", help="归档旧报文。 Archive old packets.")(maintain)
    group.command(name="set-aside", help="移开损坏的报文日志。 Set a damaged packet journal aside.")(set_aside)
    root.add_typer(group, name="gateway")


def serve(
    home: Home = None,
    *,
    host: Annotated[str, typer.Option("--host", help="监听的地址（默认全部）。 The address.")] = "0.0.0.0",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="端口（默认 9212；0 为任选）。 The port; 0: any.")
    ] = 9212,
    processes: Annotated[
        int, typer.Option("--processes", min=1, max=64, help="接收进程数。 Processes that receive.")
    ] = 1,
    allow: Annotated[
        list[str] | None, typer.Option("--allow", help="允许连接的网段，可多次。 Networks that may connect.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option("--tls-certificate", help="TLS 证书文件。 TLS certificate.", exists=True)
    ] = None,
    key: Annotated[Path | None, typer.Option("--tls-key", help="TLS 私钥文件。 TLS key.", exists=True)] = None,
    connections: Annotated[
        int, typer.Option("--connections", min=1, help="每进程最多连接数。 Most connections of a process.")
    ] = 30_000,
    per_address: Annotated[
        int, typer.Option("--connections-per-address", min=1, help="每个地址最多连接数。 Most of one address.")
    ] = 20_000,
    reserve: Annotated[
        int, typer.Option("--reserve-mb", min=0, help="磁盘剩余少于此数（MB）时暂停应答。 Free space to keep.")
    ] = 256,
    metrics_port: Annotated[
        int | None, typer.Option("--metrics-port", min=0, max=65535, help="本机指标端口（/metrics）。 Of metrics.")
    ] = None,
    drain: Annotated[
        float, typer.Option("--drain-seconds", min=0.1, help="每隔几秒入库。 How often into the lake.")
    ] = 5.0,
    listener: Annotated[
        list[str] | None, typer.Option("--listener", hidden=True, help="另外的部件。 Further parts.")
    ] = None,
) -> None:
    """Serve one home folder until it is interrupted."""
    from qinglan.base.settings import Settings
    from qinglan.gateways.hj212 import metrics
    from qinglan.gateways.hj212.limits import Limits
    from qinglan.gateways.hj212.options import Options, addresses, statuses
    from qinglan.gateways.hj212.serving import Gateway

    settings = Settings.load(home)
    limits = Limits(connections=connections, connections_per_address=per_address, allowed=addresses(allow or []))
    gateway = Gateway(
        Options(
            settings=settings,
            host=host,
            port=port,
            processes=processes,
            certificate=certificate,
            key=key,
            limits=limits,
            reserve=reserve * 1024 * 1024,
            drain_seconds=drain,
            listeners=tuple(listener or ()),
        )
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: gateway.request_stop())
    gateway.start()
    try:
        if not gateway.ready():
            raise typer.Exit(1)
        if metrics_port is not None:
            where = metrics.serve(lambda: statuses(settings), metrics_port)
            output.print(f"指标：http://127.0.0.1:{where}/metrics")
        output.print(f"HJ 212 网关已启动：{host}:{gateway.port}  （Ctrl+C 停止） The gateway is listening.")
        gateway.watch()
    finally:
        gateway.stop()
    output.print("已停止。 Stopped.")


def status(home: Home = None, as_json: AsJson = False) -> None:
    """Show how the gateway does."""
    from collections import Counter

    from qinglan.gateways.hj212.devices import all_devices
    from qinglan.gateways.hj212.options import statuses

    settings = existing(home)
    found = statuses(settings)
    running = [one for one in found if not one["stale"]]
    engine = _engine_to_read(settings)
    by_state = Counter(one.state for one in all_devices(engine))
    engine.dispose()
    receivers = [one for one in running if one["process"] != "taker"]
    total: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    cut: Counter[str] = Counter()
    for one in receivers:
        total.update({name: count for name, count in one["counts"].items() if isinstance(count, int)})
        refused.update(one["counts"]["refused"])
        cut.update(one["counts"]["cut"])
    taker = next((one for one in running if one["process"] == "taker"), None)
    ailments = {cause: said for one in running for cause, said in one["ailments"].items()}
    result: dict[str, Any] = {
        "running": bool(receivers),
        "acknowledging": bool(receivers) and all(one["acknowledging"] for one in receivers),
        "ailments": ailments,
        "processes": len(receivers),
        "connections": sum(one["connections"] for one in receivers),
        "connected_devices": sum(one["devices"] for one in receivers),
        "devices": dict(by_state),
        "counts": dict(total),
        "refused": dict(refused),
        "cut": dict(cut),
        "waiting": taker["waiting"] if taker else None,
        "damaged": taker["damaged"] if taker else [],
    }
    if as_json:
        output.print_json(data=result)
        return
    if not receivers:
        output.print("网关没有运行。 The gateway is not running.")
    else:
        output.print(
            f"接收进程 {len(receivers)} 个，连接 {result['connections']:,} 个，"
            f"在线设备 {result['connected_devices']:,} 台"
        )
        output.print(
            f"报文 {total['received']:,}，应答 {total['acknowledged']:,}，重发 {total['repeated']:,}，"
            f"拒收 {sum(refused.values()):,}，待入库 {result['waiting']:,}"
        )
        for cause, said in ailments.items():
            output.print(f"[red]✗[/] 暂停应答（{cause}）：{escape(said['zh'])}")
    named = {"adopted": "已接入", "quarantined": "隔离", "blocked": "停用"}
    output.print("设备：" + ("、".join(f"{named[state]} {count}" for state, count in by_state.items()) or "无"))


def devices(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="登记设备的 CSV 或 YAML。 A file that declares devices.", dir_okay=False),
    ] = None,
    *,
    state: Annotated[
        Literal["adopted", "quarantined", "blocked"] | None, typer.Option("--state", help="只列此状态的。 Of a state.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List devices; with FILE, declare those in it."""
    from qinglan.base.settings import Settings
    from qinglan.gateways.hj212.devices import all_devices, read_declarations
    from qinglan.gateways.hj212.replaying import declare
    from qinglan.gateways.hj212.states import states

    if file is not None:
        found = read_declarations(_text(file), name=file.name)
        engine = _engine(Settings.load(home))
        changed = declare(engine, found)
        engine.dispose()
        if as_json:
            output.print_json(data={"read": len(found), "changed": changed})
        else:
            output.print(f"读取设备 {len(found)} 台，登记或更改 {changed} 台。")
        return
    engine = _engine_to_read(existing(home))
    heard = states(engine)
    listed = [one for one in all_devices(engine) if state is None or one.state == state]
    engine.dispose()
    if as_json:
        output.print_json(data=[_shown(one, heard.get(one.mn)) for one in listed], default=str)
        return
    table = Table("编号 MN", "名称 title", "点位 site", "状态 state", "最近 last", "报文 packets", box=None)
    for one in listed:
        known = heard.get(one.mn)
        last = _beijing(known["last_seen"]) if known else ""
        count = f"{known['accepted'] + known['quarantined']:,}" if known else "0"
        table.add_row(escape(one.mn), escape(one.title), escape(one.site or one.mn), one.state, last, count)
    output.print(table)


def adopt(
    mn: Number,
    *,
    site: Annotated[str | None, typer.Option("--site", help="点位。 The site of its values.")] = None,
    title: Annotated[str | None, typer.Option("--title", help="名称。 Its name.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Adopt a device and take what was kept of it into the lake."""
    from qinglan.gateways.hj212.replaying import adopt as adopt_device

    settings = existing(home)
    engine = _engine(settings)
    adopted = adopt_device(engine, mn, site=site, title=title)
    _replay(settings, engine, adopted.mn, None, None, as_json=as_json)


def block(mn: Number, home: Home = None) -> None:
    """Block a device: its connections are cut."""
    from qinglan.gateways.hj212.devices import Device, device, save

    engine = _engine(existing(home))
    save(engine, [Device.model_validate({**device(engine, mn).model_dump(), "state": "blocked"})])
    engine.dispose()
    output.print(f"设备 {escape(mn)} 已停用。")


def replay(mn: Number, start: Start = None, end: End = None, home: Home = None, as_json: AsJson = False) -> None:
    """Take a device's kept packets again, as it is declared now."""
    settings = existing(home)
    _replay(settings, _engine(settings), mn, *_period(start, end), as_json=as_json)


def packets(
    mn: Annotated[str | None, typer.Argument(metavar="[MN]", help="设备编号。 The device's number.")] = None,
    *,
    start: Start = None,
    end: End = None,
    verdict: Annotated[
        Literal["accepted", "repeated", "quarantined", "refused"] | None,
        typer.Option("--verdict", help="处理结果。 The verdict."),
    ] = None,
    command: Annotated[str | None, typer.Option("--command", help="命令编码（CN）。 The command.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="最多多少条（最近的）。 At most, the newest.")] = 50,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Search kept packets, the newest last."""
    from qinglan.gateways.hj212 import archive
    from qinglan.gateways.hj212.devices import Devices, all_devices
    from qinglan.gateways.hj212.judging import REFUSALS

    settings = existing(home)
    engine = _engine_to_read(settings)
    known = Devices(all_devices(engine))
    engine.dispose()
    begin, until = _period(start, end)
    found = archive.search(
        settings, mn=mn, start=begin, end=until, verdict=verdict, command=command, devices=known
    ).tail(most)
    if as_json:
        rows = [{**row, "raw": row["raw"].decode("latin-1")} for row in found.drop("segment", "place").to_dicts()]
        output.print_json(data=rows, default=str)
        return
    for row in found.iter_rows(named=True):
        reason = f"（{REFUSALS[row['reason']].zh}）" if row["reason"] in REFUSALS else ""
        output.print(f"[dim]{_beijing(row['received'])} {row['address']} {row['verdict']}{reason}[/]")
        output.print(escape(row["raw"].decode("utf-8", "replace")))


def events(mn: Number, home: Home = None, as_json: AsJson = False) -> None:
    """Show what a device reported besides numbers, the newest first."""
    from qinglan.gateways.hj212.states import events as of_device

    engine = _engine_to_read(existing(home))
    found = of_device(engine, mn)
    engine.dispose()
    if as_json:
        output.print_json(data=found, default=str)
        return
    for one in found:
        output.print(
            f"[dim]{_beijing(one['time'])} CN={one['command']}[/] {escape(one['name'])} = {escape(one['text'])}"
        )


def maintain(home: Home = None, as_json: AsJson = False) -> None:
    """Make one file of each past day's packets and move those older than 35 days into monthly archives."""
    from qinglan.core.interval import BEIJING
    from qinglan.gateways.hj212 import archive
    from qinglan.gateways.hj212.states import forget_events

    settings = existing(home)
    engine = _engine(settings)
    done: dict[str, int] = archive.maintain(settings, datetime.now(BEIJING).date())
    done["events_deleted"] = forget_events(engine)
    engine.dispose()
    if as_json:
        output.print_json(data=done)
    else:
        output.print(f"整理 {done['days']} 天，归档 {done['archived']} 天，删除过期事件 {done['events_deleted']} 条。")


def set_aside(
    segment: Annotated[str, typer.Argument(metavar="SEGMENT", help="报文日志的文件名。 The journal's file name.")],
    home: Home = None,
) -> None:
    """Rename a damaged packet journal, so that the gateway goes on without it."""
    from qinglan.gateways.hj212.serving import set_aside as move

    output.print(f"已移开：{escape(str(move(existing(home), segment)))}")


def _replay(
    settings: Settings, engine: Engine, mn: str, start: datetime | None, end: datetime | None, *, as_json: bool
) -> None:
    from qinglan.gateways.hj212.replaying import replay as replay_packets
    from qinglan.observations.lake import open_lake

    taken, receipt = replay_packets(settings, engine, open_lake(settings, engine), mn, start=start, end=end)
    engine.dispose()
    if as_json:
        counts = {name: getattr(receipt, name) for name in ("read", "added", "repeated", "revised")}
        output.print_json(data={"mn": mn, "packets": taken, **counts})
    else:
        output.print(
            f"设备 {escape(mn)}：报文 {taken:,}，观测 {receipt.read:,}（新增 {receipt.added:,}，重复 "
            f"{receipt.repeated:,}，修订 {receipt.revised:,}）。"
        )


def _engine(settings: Settings) -> Engine:
    from qinglan.base.database import open_base

    return open_base(settings)


def _engine_to_read(settings: Settings) -> Engine:
    """Return the base without writing anything: a full disk is when one wants to look."""
    from qinglan.base.engine import open_engine
    from qinglan.base.migrations import current_version, newest_version
    from qinglan.core.errors import StorageError

    engine = open_engine(settings)
    try:
        if current_version(engine) == newest_version():
            return engine
    except StorageError:
        engine.dispose()
    return _engine(settings)


def _text(file: Path) -> str:
    from qinglan.core.errors import InputError

    try:
        raw = file.read_bytes()
    except OSError as error:
        raise InputError(
            f"无法读取 {file}：{error.strerror}。", f"Cannot read {file}: {error.strerror}.", file=str(file)
        ) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030", "replace")


def _period(start: datetime | None, end: datetime | None) -> tuple[datetime | None, datetime | None]:
    from datetime import timedelta

    from qinglan.core.interval import to_utc

    return (
        None if start is None else to_utc(start),
        None if end is None else to_utc(end + timedelta(days=1)),
    )


def _beijing(moment: datetime) -> str:
    from qinglan.core.interval import to_beijing

    return f"{to_beijing(moment):%Y-%m-%d %H:%M:%S}"


def _shown(one: Device, heard: dict[str, Any] | None) -> dict[str, Any]:
    plain = one.model_dump(mode="json", exclude={"password", "key"})
    return {**plain, "heard": {name: value for name, value in heard.items() if name != "mn"} if heard else None}
