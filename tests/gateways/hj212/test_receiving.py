"""The door: nothing is answered before it is durable, resends are stored once, limits cut who breaks them."""

from __future__ import annotations

import asyncio
import ipaddress
import sqlite3
import ssl
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gateway_parts import MN, door, stored, until, upload

from qinglan.core.errors import StorageError
from qinglan.gateways.hj212.codec import Packet, build
from qinglan.gateways.hj212.devices import Device
from qinglan.gateways.hj212.health import Health
from qinglan.gateways.hj212.limits import Limits
from qinglan.gateways.hj212.links import Link
from qinglan.gateways.hj212.segments import Segment, Stored, segments
from qinglan.gateways.hj212.writing import SegmentWriter


class Held(SegmentWriter):
    """A journal that waits at each write until it is let go."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, 0)
        self.go = threading.Event()

    def append(self, packets: Sequence[Stored]) -> int:
        assert self.go.wait(10)
        return super().append(packets)


class Full(SegmentWriter):
    """A journal on a disk that is full while it is told so."""

    full = True

    def append(self, packets: Sequence[Stored]) -> int:
        self.probe()
        return super().append(packets)

    def probe(self) -> None:
        if self.full:
            raise StorageError("磁盘已满。", "The disk is full.")


def test_an_answer_leaves_only_after_the_packet_is_durable(tmp_path: Path) -> None:
    async def run() -> None:
        writer = Held(tmp_path)
        async with door(tmp_path, writer=writer) as at:
            device = await at.connect()
            device.send(upload(1))
            assert await device.answers(1, wait=0.3) == []
            writer.go.set()
            [found] = await device.answers(1)
            assert (found.command, found.number) == ("9014", "20240601080001001")
            assert [one.raw + b"\r\n" for one in at.stored()] == [upload(1)]

    asyncio.run(run())


def test_what_is_answered_is_in_the_file_as_another_process_reads_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with door(tmp_path) as at:
            device = await at.connect()
            for number in range(300):
                device.send(upload(number))
            answered = {one.number for one in await device.answers(300)}
            [path] = segments(tmp_path)
            # A second connection sees what is committed, and nothing else.
            with Segment(path) as segment:
                raws = [one.raw for group in segment.groups(0, 10_000) for one in group.packets]
            assert len(answered) == len(raws) == 300
            connection = sqlite3.connect(path)
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            connection.close()
            assert at.receiver.writer._connection is not None
            assert at.receiver.writer._connection.execute("PRAGMA synchronous").fetchone() == (2,)

    asyncio.run(run())


def test_resends_are_answered_each_time_and_stored_once(tmp_path: Path) -> None:
    async def run() -> None:
        writer = Held(tmp_path)
        async with door(tmp_path, writer=writer) as at:
            first, second = await at.connect(), await at.connect()
            # Before the first copy is durable, afterwards, and on another connection.
            first.send(upload(1) + upload(1))
            second.send(upload(1))
            assert await until(lambda: at.receiver.counts.received == 3)
            writer.go.set()
            assert len(await first.answers(2)) == 2
            assert len(await second.answers(1)) == 1
            first.send(upload(1))
            assert len(await first.answers(1)) == 1
            assert len(at.stored()) == 1
            assert at.receiver.counts.repeated == 3

    asyncio.run(run())


def test_a_restarted_process_knows_what_it_stored(tmp_path: Path) -> None:
    async def run() -> None:
        async with door(tmp_path) as at:
            device = await at.connect()
            device.send(upload(1))
            assert len(await device.answers(1)) == 1
        keys = [one.key for one in stored(tmp_path)]
        async with door(tmp_path) as at:
            at.receiver.remember(keys)
            device = await at.connect()
            device.send(upload(1) + upload(2))
            assert len(await device.answers(2)) == 2
        assert [one.raw + b"\r\n" for one in stored(tmp_path)] == [upload(1), upload(2)]

    asyncio.run(run())


def test_a_full_disk_stops_the_answers_and_its_cure_brings_them_back(tmp_path: Path) -> None:
    async def run() -> None:
        writer = Full(tmp_path, 0)
        async with door(tmp_path, writer=writer) as at:
            device = await at.connect()
            device.send(upload(1))
            assert await until(lambda: not at.receiver.health.well)
            assert at.receiver.health.ailments["journal"].en == "The disk is full."
            await at.receiver.probe()
            assert not at.receiver.health.well
            device.send(upload(1))
            assert await device.answers(1, wait=0.3) == []
            writer.full = False
            await at.receiver.probe()
            assert at.receiver.health.well
            # The device sends it again, as the standard says, and now it is stored and answered.
            device.send(upload(1))
            assert len(await device.answers(1)) == 1
            assert len(at.stored()) == 1

    asyncio.run(run())


def test_while_the_lake_fails_packets_are_kept_and_not_answered(tmp_path: Path) -> None:
    async def run() -> None:
        health = Health()
        async with door(tmp_path, health=health) as at:
            health.fails("lake", "观测库只读。", "The lake is read-only.")
            device = await at.connect()
            device.send(upload(1))
            assert await device.answers(1, wait=0.3) == []
            assert at.receiver.counts.withheld == 1
            assert len(at.stored()) == 1
            health.cured("lake")
            device.send(upload(1))
            assert len(await device.answers(1)) == 1
            assert len(at.stored()) == 1

    asyncio.run(run())


@pytest.mark.parametrize("cause", ["space", "clock"])
def test_without_room_or_a_clock_nothing_is_even_kept(tmp_path: Path, cause: str) -> None:
    async def run() -> None:
        health = Health()
        async with door(tmp_path, health=health) as at:
            health.fails(cause, "原因。", "A reason.")  # type: ignore[arg-type]
            device = await at.connect()
            device.send(upload(1))
            assert await device.answers(1, wait=0.3) == []
            assert at.stored() == []
            assert at.receiver.counts.not_kept == 1
            health.cured(cause)  # type: ignore[arg-type]
            device.send(upload(1))
            assert len(await device.answers(1)) == 1

    asyncio.run(run())


def test_a_packet_of_wrong_checksum_is_kept_with_its_reason_and_not_answered(tmp_path: Path) -> None:
    async def run() -> None:
        async with door(tmp_path) as at:
            device = await at.connect()
            device.send(upload(1, checksum="1234") + upload(2))
            assert [one.number for one in await device.answers(2, wait=0.5)] == ["20240601080002002"]
            assert [(one.refused, one.raw[:6]) for one in at.stored()] == [
                ("checksum", upload(1)[:6]),
                ("", upload(2)[:6]),
            ]
            assert at.receiver.counts.refused == {"checksum": 1}

    asyncio.run(run())


def test_a_wrong_password_is_refused_and_kept(tmp_path: Path) -> None:
    async def run() -> None:
        async with door(tmp_path, Device(mn=MN, password="right1")) as at:
            device = await at.connect()
            device.send(upload(1, password="wrong1"))
            assert await device.answers(1, wait=0.3) == []
            device.send(upload(2, password="right1"))
            assert len(await device.answers(1)) == 1
            assert [one.refused for one in at.stored()] == ["password", ""]

    asyncio.run(run())


def test_an_unknown_device_is_kept_and_answered_up_to_a_limit(tmp_path: Path) -> None:
    async def run() -> None:
        async with door(tmp_path, limits=Limits(unknown_devices=2, unknown_packets=3)) as at:
            device = await at.connect()
            for number in range(5):
                device.send(upload(number, mn="STRANGER1"))
            device.send(upload(1, mn="STRANGER2") + upload(1, mn="STRANGER3"))
            assert len(await device.answers(7, wait=0.5)) == 4
            assert len(at.stored()) == 4
            assert at.receiver.counts.not_kept == 3
            assert at.receiver.counts.quarantined == 4

    asyncio.run(run())


def test_a_device_blocked_or_of_another_address_is_cut(tmp_path: Path) -> None:
    async def run() -> None:
        blocked = Device(mn=MN, state="blocked")
        elsewhere = Device(mn="ELSEWHERE", addresses=("10.0.0.0/8",))
        async with door(tmp_path, blocked, elsewhere) as at:
            for raw in (upload(1), upload(1, mn="ELSEWHERE")):
                device = await at.connect()
                device.send(raw)
                assert await device.is_cut()
            assert at.receiver.counts.cut == {"blocked": 1, "address": 1}
            assert await until(lambda: sorted(one.refused for one in at.stored()) == ["address", "blocked"])

    asyncio.run(run())


def test_a_device_that_is_blocked_while_connected_is_cut_and_one_that_is_adopted_is_bound(tmp_path: Path) -> None:
    async def run() -> None:
        async with door(tmp_path) as at:
            device, stranger = await at.connect(), await at.connect()
            device.send(upload(1))
            stranger.send(upload(1, mn="STRANGER"))
            assert len(await device.answers(1)) + len(await stranger.answers(1)) == 2
            assert at.receiver.links.get("STRANGER") is None
            at.receiver.devices.by_number = {
                MN: Device(mn=MN, state="blocked"),
                "STRANGER": Device(mn="STRANGER"),
            }
            at.receiver.follow_devices()
            assert await device.is_cut()
            assert at.receiver.links.get("STRANGER") is not None

    asyncio.run(run())


@pytest.mark.parametrize(
    ("sent", "limits", "reason"),
    [
        (b"#" * 200_000, Limits(), "junk"),
        (b"GET / HTTP/1.1\r\n\r\n" * 5_000, Limits(), "junk"),
        (b"##9999" + b"x" * 200_000, Limits(), "junk"),
        (upload(1, checksum="1234") * 50, Limits(refused_in_a_row=50), "refused"),
    ],
)
def test_who_sends_no_packets_is_cut_and_others_are_not(
    tmp_path: Path, sent: bytes, limits: Limits, reason: str
) -> None:
    async def run() -> None:
        async with door(tmp_path, limits=limits) as at:
            good, bad = await at.connect(), await at.connect()
            bad.send(sent)
            assert await bad.is_cut()
            assert at.receiver.counts.cut == {reason: 1}
            good.send(upload(2))
            assert len(await good.answers(1)) == 1

    asyncio.run(run())


def test_a_frame_that_does_not_become_whole_is_decided_on_and_its_sender_cut_in_the_end(tmp_path: Path) -> None:
    async def run() -> None:
        async with door(tmp_path, limits=Limits(frame_seconds=0.05, broken_frames=2)) as at:
            device = await at.connect()
            # A whole packet that a frame of wrong length holds back is found when the time is over.
            device.send(b"##0900" + upload(1)[6:30] + upload(2))
            assert await device.answers(1, wait=0.2) == []
            at.receiver.look_after_lines()
            assert [one.number for one in await device.answers(1)] == ["20240601080002002"]
            for _ in range(2):
                device.send(upload(3)[:40])
                await asyncio.sleep(0.15)
                at.receiver.look_after_lines()
            assert await device.is_cut()
            assert at.receiver.counts.cut == {"slow": 1}

    asyncio.run(run())


def test_silent_and_idle_connections_are_cut(tmp_path: Path) -> None:
    async def run() -> None:
        async with door(tmp_path, limits=Limits(silent_seconds=0.2, idle_seconds=0.6)) as at:
            silent, speaking = await at.connect(), await at.connect()
            speaking.send(upload(1))
            assert len(await speaking.answers(1)) == 1
            await asyncio.sleep(0.3)
            at.receiver.look_after_lines()
            assert await silent.is_cut()
            assert at.receiver.counts.cut == {"silent": 1}
            await asyncio.sleep(0.5)
            at.receiver.look_after_lines()
            assert await speaking.is_cut()
            assert at.receiver.counts.cut == {"silent": 1, "idle": 1}

    asyncio.run(run())


def test_connections_over_the_limits_are_cut(tmp_path: Path) -> None:
    async def run() -> None:
        async with door(tmp_path, limits=Limits(connections=10, connections_per_address=2)) as at:
            kept = [await at.connect(), await at.connect()]
            assert await (await at.connect()).is_cut()
            assert at.receiver.counts.cut == {"too_many_of_address": 1}
            kept[0].close()
            assert await until(lambda: len(at.receiver.lines) == 1)
            third = await at.connect()
            third.send(upload(1))
            assert len(await third.answers(1)) == 1
        async with door(tmp_path, limits=Limits(connections=1)) as at:
            first = await at.connect()
            assert await until(lambda: len(at.receiver.lines) == 1)
            assert await (await at.connect()).is_cut()
            first.send(upload(2))
            assert len(await first.answers(1)) == 1

    asyncio.run(run())


def test_only_networks_that_are_allowed_may_connect(tmp_path: Path) -> None:
    async def run() -> None:
        async with door(tmp_path, limits=Limits(allowed=(ipaddress.ip_network("10.0.0.0/8"),))) as at:
            assert await (await at.connect()).is_cut()
            assert at.receiver.counts.cut == {"not_allowed": 1}

    asyncio.run(run())


def test_who_sends_too_quickly_waits_and_loses_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with door(tmp_path, limits=Limits(packets_per_second=500, burst=20)) as at:
            device = await at.connect()
            for number in range(200):
                device.send(upload(number))
            assert len(await device.answers(200)) == 200
            assert at.receiver.counts.cut["slowed"] >= 1

    asyncio.run(run())


class Heard:
    """A listener that notes what it is told."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, str]] = []

    def connected(self, link: Link, device: Device) -> None:
        self.notes.append(("connected", device.mn))

    def received(self, link: Link, device: Device, packet: Packet, received: datetime) -> None:
        assert abs(received - datetime.now(UTC)) < timedelta(minutes=1)
        self.notes.append((packet.command, packet.number or ""))

    def disconnected(self, link: Link) -> None:
        self.notes.append(("disconnected", ",".join(link.numbers)))


class Faulty(Heard):
    def received(self, link: Link, device: Device, packet: Packet, received: datetime) -> None:
        raise RuntimeError("a fault of this part")


def test_listeners_hear_each_new_packet_once_and_can_send(tmp_path: Path) -> None:
    async def run() -> None:
        async with door(tmp_path) as at:
            heard = Heard()
            at.receiver.links.listeners += [Faulty(), heard]
            device = await at.connect()
            device.send(upload(1) + upload(1) + upload(2, flag="4") + upload(1, mn="STRANGER"))
            assert len(await device.answers(3)) == 3
            asked = build({"QN": "20240601090000000", "ST": "32", "CN": "1011", "PW": "1", "MN": MN, "Flag": "5"})
            assert at.receiver.links.send(MN, asked)
            assert not at.receiver.links.send("STRANGER", asked)
            assert [one.command for one in await device.answers(1)] == ["1011"]
            device.close()
            assert await until(lambda: heard.notes[-1][0] == "disconnected")
            assert heard.notes == [
                ("connected", MN),
                ("2011", "20240601080001001"),
                ("2011", "20240601080002002"),
                ("disconnected", f"{MN},STRANGER"),
            ]
            assert at.receiver.links.get(MN) is None

    asyncio.run(run())


def test_the_newest_connection_of_a_device_is_the_one_spoken_to(tmp_path: Path) -> None:
    async def run() -> None:
        async with door(tmp_path) as at:
            old, new = await at.connect(), await at.connect()
            old.send(upload(1))
            assert len(await old.answers(1)) == 1
            new.send(upload(2))
            assert len(await new.answers(1)) == 1
            old.close()
            assert await until(lambda: len(at.receiver.lines) == 1)
            assert at.receiver.links.send(MN, b"##0000")
            assert await new.reader.read(6) == b"##0000"

    asyncio.run(run())


def test_split_joined_and_dirty_reads_give_the_same_packets(tmp_path: Path) -> None:
    async def run() -> None:
        async with door(tmp_path) as at:
            device = await at.connect()
            raw = b"AT+CSQ\r\n" + upload(1) + upload(2).strip() + upload(3)
            for at_byte in range(0, len(raw), 7):
                device.send(raw[at_byte : at_byte + 7])
                await asyncio.sleep(0)
            assert [one.number[-3:] for one in await device.answers(3) if one.number] == ["001", "002", "003"]

    asyncio.run(run())


def certificate(folder: Path) -> tuple[Path, Path]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return files


def test_a_connection_may_be_enciphered_by_tls(tmp_path: Path) -> None:
    async def run() -> None:
        shown, key = certificate(tmp_path)
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server.load_cert_chain(shown, key)
        async with door(tmp_path / "journal", tls=server) as at:
            device = await at.connect(ssl.create_default_context(cafile=str(shown)))
            device.send(upload(1))
            assert len(await device.answers(1)) == 1
            plain = await at.connect()
            plain.send(upload(2))
            assert await plain.is_cut()

    asyncio.run(run())
