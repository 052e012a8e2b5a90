"""How a simulated logger answers its platform: 9011, what was asked for, 9012.

依据: HJ 212-2017 通讯流程 (请求、通知、上传), 表 QnRtn and ExeRtn; see PROTOCOL facts in ``codec/words.csv``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from qinglan.core.interval import BEIJING_OFFSET
from qinglan.gateways.hj212.codec import Packet
from qinglan.gateways.hj212.codec.encoding import area
from qinglan.gateways.hj212.codec.observing import moment
from qinglan.gateways.hj212.simulate.generating import PERIODS, framed, period_start

if TYPE_CHECKING:
    from qinglan.gateways.hj212.simulate.device import Device

Kind = Literal["upload", "ask", "interaction"]
ASK: Final[Kind] = "ask"
ANSWERS: Final = frozenset({"9011", "9012", "9013", "9014", "9022"})
READY, REFUSED, WRONG_PASSWORD, WRONG_COMMAND = "1", "2", "3", "8"
DONE, NO_DATA = "1", "100"
MOST_ROWS: Final = 2000
"""Rows of one request; a logger sends what it was asked for and no more than this."""
_INTERACTION: Final = "91"
_TAKEN: Final = frozenset({"3011", "3012", "3013", "3014", "3015", "3016", "3021", "3022", "3024", "1002", "1014"})
_INTERVALS: Final = {"1061": "RtdInterval", "1063": "MinInterval"}
_SET_INTERVALS: Final = {"1062": "RtdInterval", "1064": "MinInterval"}


def frame(device: Device, command: str, kind: Kind, items: Iterable[tuple[str, str]], number: str = "") -> bytes:
    """Return the frame of an answer or a question of a device."""
    version = device.fleet.generator.flag & ~1
    system = _INTERACTION if kind == "interaction" else device.fleet.generator.system
    flag = version | (kind != "interaction")
    number = number or device.next_number().decode()
    head = f"QN={number};ST={system};CN={command};PW={device.password};MN={device.number};Flag={flag};"
    return framed(f"{head}CP=&&{area(items)}&&".encode())


@dataclass
class BackFill:
    """Rows of history that were asked for: one goes out when the one before it is answered, then 9012."""

    request: str
    command: str
    times: list[int] = field(default_factory=list)
    sent: int = 0

    def go_on(self, device: Device) -> None:
        """Send the next row, or say that all were sent."""
        if device.open or device.waiting:
            return
        if self.times:
            self.sent += 1
            device.waiting.append(device.made_for(self.command, self.times.pop(0)))
            device.send()
            return
        device.back_fill = None
        device.say("9012", "interaction", (("ExeRtn", DONE if self.sent else NO_DATA),), self.request)


def obey(device: Device, packet: Packet) -> None:
    """Answer a request or notice of the platform."""
    number = packet.number or ""
    if packet.command in {"2012", "2022"}:
        device.realtime = False
        device.say("9013", "interaction", (), number)
        return
    verdict = _verdict(device, packet)
    device.say("9011", "interaction", (("QnRtn", verdict),), number)
    if verdict != READY:
        return
    if packet.command in PERIODS and packet.fields.get("BeginTime"):
        _back_fill(device, packet, number)
        return
    items = _carried_out(device, packet)
    if items:
        device.say(packet.command, "upload", items, number)
    device.say("9012", "interaction", (("ExeRtn", DONE),), number)


def _verdict(device: Device, packet: Packet) -> str:
    if packet.header.get("PW", "") != device.password:
        return WRONG_PASSWORD
    known = _TAKEN | PERIODS.keys() | _INTERVALS.keys() | _SET_INTERVALS.keys()
    if packet.command not in known | {"1000", "1011", "1012", "1072", "2021", "2041", "3019"}:
        return WRONG_COMMAND
    busy = device.back_fill is not None and packet.command in PERIODS
    return REFUSED if busy else READY


def _carried_out(device: Device, packet: Packet) -> tuple[tuple[str, str], ...]:
    """Do what is asked and return what is uploaded for it."""
    fields, command = packet.fields, packet.command
    if command == "1000":
        device.timeout = float(fields.get("OverTime", device.timeout))
        device.retries = int(fields.get("ReCount", device.retries))
    elif command == "1012" and (set_to := moment(fields.get("SystemTime", ""))) is not None:
        device.clock += set_to.timestamp() - device.now()
        device.fleet.counts.counted["clocks_set"] += 1
    elif command == "1072":
        device.password = fields.get("NewPW") or fields.get("PW") or device.password
        device.rewritten()
    elif command in _SET_INTERVALS:
        name = _SET_INTERVALS[command]
        device.intervals[name] = fields.get(name, device.intervals[name])
    elif command == "2011":
        device.realtime = True
    if command == "1011":
        local = datetime.fromtimestamp(device.now(), UTC) + BEIJING_OFFSET
        return (("SystemTime", f"{local:%Y%m%d%H%M%S}"),)
    if command in _INTERVALS:
        return ((_INTERVALS[command], device.intervals[_INTERVALS[command]]),)
    if command == "3019":
        polluter = fields.get("PolId", "w01018")
        return (("PolId", polluter), (f"{polluter}-SN", f"SIM{device.index:08d}"))
    return ()


def _back_fill(device: Device, packet: Packet, number: str) -> None:
    begin, end = moment(packet.fields["BeginTime"]), moment(packet.fields.get("EndTime", ""))
    times: list[int] = []
    if begin is not None and end is not None:
        length = int(PERIODS[packet.command].total_seconds())
        first = period_start(begin.timestamp(), packet.command)
        first += length if first < begin.timestamp() else 0
        every = range(first, min(int(end.timestamp()), first + MOST_ROWS * length) + 1, length)
        over = period_start(device.now(), packet.command)
        times = [at for at in every if device.remembers(at) and at < over]
    device.back_fill = BackFill(number, packet.command, times)
    device.back_fill.go_on(device)
