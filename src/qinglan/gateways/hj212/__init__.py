"""HJ 212: the protocol by which monitors on site send what they measure."""
