"""The codec of HJ 212: bytes into packets and back. Needs core and catalogue only.

依据: HJ/T 212-2005; HJ 212-2017; HJ 212-2025, as far as its text is quoted by implementations (marked ``T`` in
``commands.csv``); the surface-water profile, which has the frame of HJ 212-2017 and Flag 8 and 9.

    >>> from qinglan.gateways.hj212.codec import decode
    >>> packet = decode(b"##0087QN=20240601085857223;ST=32;CN=1011;PW=123456;MN=010000A8900016F000169DC0;Flag=9;"
    ...                 b"CP=&&&&2200")
    >>> packet.valid, packet.device
    (True, '010000A8900016F000169DC0')
"""

from qinglan.gateways.hj212.codec.decoding import StreamDecoder, decode
from qinglan.gateways.hj212.codec.dialect import STANDARD, Dialect, Dialects, Edition
from qinglan.gateways.hj212.codec.encoding import build, encode, split
from qinglan.gateways.hj212.codec.observing import Event, Observation
from qinglan.gateways.hj212.codec.packet import Packet
from qinglan.gateways.hj212.codec.reasons import REASONS, Reason

__all__ = [
    "REASONS",
    "STANDARD",
    "Dialect",
    "Dialects",
    "Edition",
    "Event",
    "Observation",
    "Packet",
    "Reason",
    "StreamDecoder",
    "build",
    "decode",
    "encode",
    "split",
]
