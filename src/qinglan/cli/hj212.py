"""`qinglan hj212`: packets of monitors, field by field."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape
from rich.table import Table

from qinglan.cli.application import AsJson, output
from qinglan.cli.hj212_simulate import simulate
from qinglan.core.errors import InputError

if TYPE_CHECKING:
    from qinglan.gateways.hj212.capture import Stream
    from qinglan.gateways.hj212.codec import Dialect, Packet
    from qinglan.gateways.hj212.codec.naming import Line

LARGEST = 64 * 1024 * 1024
_BLANKS = re.compile(r"0[xX]|[\s,:]+")


def add(root: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="HJ 212 报文。 HJ 212 packets.", no_args_is_help=True)
    group.command(name="decode", help="逐项解读报文。 Read packets field by field.")(decode)
    group.command(name="simulate", help="模拟一批数采仪。 Simulate a fleet of loggers.")(simulate)
    root.add_typer(group, name="hj212")


def decode(
    packet: Annotated[
        str | None,
        typer.Argument(metavar="[PACKET]", help="报文；不写或写 - 时从标准输入读。 The packet, or - for stdin."),
    ] = None,
    *,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="从文件读：报文、十六进制、pcap、pcapng。 Read a file.", dir_okay=False),
    ] = None,
    as_hex: Annotated[bool, typer.Option("--hex", help="输入是十六进制。 The input is hexadecimal.")] = False,
    edition: Annotated[
        Literal["2005", "2017", "2025", "surface-water"] | None, typer.Option("--edition", help="版本。 The edition.")
    ] = None,
    checksum: Annotated[
        Literal["standard", "modbus", "modbus-swapped"],
        typer.Option("--checksum", help="设备的 CRC。 The device's CRC."),
    ] = "standard",
    layout: Annotated[
        Literal["standard", "addressed", "semicolons"],
        typer.Option("--layout", help="设备的帧格式。 The device's frame."),
    ] = "standard",
    text: Annotated[Literal["utf-8", "gbk"], typer.Option("--text", help="文字编码。 The encoding of text.")] = "utf-8",
    key: Annotated[
        str | None, typer.Option("--key", help="SM4 密钥，32 位十六进制。 SM4 key in hexadecimal.", metavar="HEX")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read PACKET, a file or standard input; exit code 1 if a packet is not valid or there is none.

    A file may be raw bytes, a hex dump, or a capture of the network.
    """
    from qinglan.gateways.hj212.capture import is_capture
    from qinglan.gateways.hj212.codec import Dialect, StreamDecoder
    from qinglan.gateways.hj212.codec import decode as decode_one
    from qinglan.gateways.hj212.hex_dump import is_hex_dump

    found: list[tuple[Packet, _Seen | None]]
    dialect = Dialect(
        edition=edition,
        checksum=checksum,
        layout=layout,
        text=text,
        key=None if key is None else _from_hex(key, "--key"),
    )
    raw = _bytes(packet, file)
    if is_capture(raw):
        found, skipped, missing = _captured(raw, file, dialect)
    else:
        if as_hex or (file is not None and is_hex_dump(raw.decode("latin-1"))):
            raw = _dumped(raw.decode("ascii", errors="replace"))
        if not raw.strip():
            raise InputError("没有输入报文。", "There is no packet to read.", field="PACKET")
        decoder = StreamDecoder(dialect)
        packets = [*decoder.feed(raw), *decoder.flush()] or [decode_one(raw[: dialect.limit], dialect)]
        found, skipped, missing = [(one, None) for one in packets], decoder.skipped, 0
    if as_json:
        described = [_described(one) | (seen.as_json() if seen else {}) for one, seen in found]
        output.print_json(data={"packets": described, "skipped": skipped, "missing": missing})
    else:
        for one, seen in found:
            if seen is not None:
                output.print(f"[bold]{escape(seen.text())}[/]")
            _show(one)
        if skipped:
            output.print(f"[dim]报文之外 {skipped:,} 字节。 {skipped:,} bytes outside packets.[/]")
        if missing:
            output.print(f"[dim]抓包缺 {missing:,} 字节。 {missing:,} bytes are missing in the capture.[/]")
    if not found or not all(one.valid for one, _ in found):
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Seen:
    """When and between whom a packet of a capture travelled."""

    time: datetime | None
    stream: Stream

    def as_json(self) -> dict[str, Any]:
        from qinglan.core.interval import to_beijing

        time = to_beijing(self.time).isoformat() if self.time else None
        way = {True: "up", False: "down", None: None}[self.stream.opener]
        return {"seen": time, "source": self.stream.source, "destination": self.stream.destination, "way": way}

    def text(self) -> str:
        from qinglan.core.interval import to_beijing

        way = {True: "上行 up", False: "下行 down", None: ""}[self.stream.opener]
        time = f"{to_beijing(self.time):%Y-%m-%d %H:%M:%S.%f}" if self.time else ""
        return "  ".join(part for part in (time, f"{self.stream.source} → {self.stream.destination}", way) if part)


def _captured(raw: bytes, file: Path | None, dialect: Dialect) -> tuple[list[tuple[Packet, _Seen | None]], int, int]:
    """Return the packets of a capture in the order of their last bytes, and how much belonged to none or is missing."""
    from qinglan.gateways.hj212.capture import read_capture
    from qinglan.gateways.hj212.codec import StreamDecoder

    found: list[tuple[Packet, _Seen]] = []
    skipped = missing = 0
    for stream in read_capture(raw, None if file is None else str(file)).streams:
        decoder = StreamDecoder(dialect)
        for piece in stream.pieces:
            missing += piece.missing
            packets = [*(decoder.flush() if piece.missing else ()), *decoder.feed(piece.data)]
            found += [(packet, _Seen(piece.time, stream)) for packet in packets]
        found += [(packet, _Seen(stream.pieces[-1].time, stream)) for packet in decoder.flush()]
        skipped += decoder.skipped
    if all(seen.time for _, seen in found):
        found.sort(key=lambda one: one[1].time or datetime.min.replace(tzinfo=UTC))
    return [*found], skipped, missing


def _dumped(text: str) -> bytes:
    """Return the bytes of a hex dump, or of bare pairs of hexadecimal digits."""
    from qinglan.gateways.hj212.hex_dump import is_hex_dump, read_hex_dump

    return read_hex_dump(text) if is_hex_dump(text) and "\n" in text.strip() else _from_hex(text, "--hex")


def _bytes(packet: str | None, file: Path | None) -> bytes:
    if file is not None:
        if packet is not None:
            raise InputError("报文与 --file 只能给一个。", "Give a packet or --file, not both.", field="--file")
        try:
            with file.open("rb") as opened:
                found = opened.read(LARGEST + 1)
        except OSError as error:
            raise InputError(
                f"文件 {file} 读不出：{error.strerror}。",
                f"The file {file} cannot be read: {error.strerror}.",
                file=str(file),
            ) from error
    elif packet is None or packet == "-":
        found = sys.stdin.buffer.read(LARGEST + 1)
    else:
        found = packet.encode("utf-8", errors="surrogateescape")
    if len(found) > LARGEST:
        raise InputError(
            f"输入超过 {LARGEST >> 20} MB，请分段解读。",
            f"The input is over {LARGEST >> 20} MB: read it in pieces.",
            file=None if file is None else str(file),
        )
    return found


def _from_hex(text: str, field: str) -> bytes:
    try:
        return bytes.fromhex(_BLANKS.sub("", text))
    except ValueError as error:
        raise InputError(
            f"{field} 不是成对的十六进制数字。", f"{field} is not pairs of hexadecimal digits.", field=field
        ) from error


def _described(packet: Packet) -> dict[str, Any]:
    from qinglan.gateways.hj212.codec import REASONS
    from qinglan.gateways.hj212.codec.naming import command, explain, word

    header, items = explain(packet)
    titles = {
        "command": command(packet.command, packet.edition),
        "system": word("system", packet.system),
        "edition": word("edition", packet.edition),
    }
    return {
        "valid": packet.valid,
        "accepted": packet.accepted,
        "reason": packet.reason,
        "defects": [{"code": code, **REASONS[code].model_dump()} for code in packet.defects],
        "edition": packet.edition,
        "framing": packet.framing,
        "checksum": packet.checksum,
        "layout": packet.layout,
        "enciphered": packet.enciphered,
        "titles": {name: title.model_dump() if title else None for name, title in titles.items()},
        "header": [_line(line) for line in header],
        "items": [_line(line) for line in items],
        "observations": [_plain(asdict(one)) for one in packet.observations()],
        "events": [_plain(asdict(one)) for one in packet.events()],
        "raw": packet.raw.decode("utf-8", errors="backslashreplace"),
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "text": line.text,
        "title": line.title.model_dump() if line.title else None,
        "meaning": line.meaning.model_dump() if line.meaning else None,
    }


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    from qinglan.core.interval import to_beijing

    moments = {name: to_beijing(found[name]).isoformat() for name in ("time", "sampled") if found.get(name)}
    return found | moments


def _show(packet: Packet) -> None:
    from qinglan.gateways.hj212.codec import REASONS
    from qinglan.gateways.hj212.codec.naming import command, explain, word

    if packet.valid:
        verdict = "[green]✓ 有效 valid[/]"
    elif packet.accepted:
        verdict = "[yellow]! 可用，不合标准 taken, not as the standard says[/]"
    else:
        verdict = "[red]✗ 无效 not valid[/]"
    edition, title = word("edition", packet.edition), command(packet.command, packet.edition)
    named = f" · {title.zh} {title.en}" if title else ""
    output.print(f"{verdict} · {escape(edition.zh if edition else packet.edition)}{escape(named)}")
    for code in packet.defects:
        reason = REASONS[code]
        output.print(f"  {reason.zh}。 {reason.en}.")
    header, items = explain(packet)
    table = Table("字段 field", "值 value", "含义 meaning", box=None, header_style="bold", padding=(0, 2, 0, 0))
    for line in (*header, *items):
        words = [title for title in (line.title, line.meaning) if title is not None]
        zh, en = "：".join(one.zh for one in words), ": ".join(one.en for one in words)
        table.add_row(escape(line.name), escape(line.text), escape(f"{zh}  {en}" if zh != en else zh))
    output.print(table)
    output.print()
