"""Reads the golden vectors by docs/WIRE.md alone: a second, independent implementation of the field bus's decoder.

Usage: reference.py wire-vectors.txt. Ends with 0 when every vector reads as the file says.
"""

import struct
import sys

KEYS = {0, 1, 2, 3, 16, 17, 18, 19, 32, 33, 48, 64}
SAMPLES_MAX = 77


class Refused(Exception):
    pass


def crc32c(data):
    """Bit by bit, from the parameters on the page."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def unstuff(block):
    out, at = bytearray(), 0
    while at < len(block):
        distance = block[at]
        if at + distance > len(block):
            raise Refused("cobs")
        out += block[at + 1 : at + distance]
        at += distance
        if at < len(block):
            out.append(0)
    return bytes(out)


class Body:
    def __init__(self, data):
        self.data, self.at = data, 0
        self.last_tick = self.last_order = None
        self.last_length = 0

    def more(self):
        return self.at < len(self.data)

    def take(self, count):
        if self.at + count > len(self.data):
            raise Refused("message")
        self.at += count
        return self.data[self.at - count : self.at]

    def fixed(self, code):
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def u8(self):
        return self.fixed("B")

    def u16(self):
        return self.fixed("H")

    def i16(self):
        return self.fixed("h")

    def u32(self):
        return self.fixed("I")

    def varint(self, bits=32):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if value >= 1 << bits or (byte == 0 and shift > 7):
            raise Refused("message")
        return value

    def difference(self, before, bits):
        folded = self.varint(bits)
        step = (folded >> 1) ^ -(folded & 1)
        return (before + step) % (1 << bits)

    def tick(self):
        first = self.last_tick is None
        self.last_tick = self.u32() if first else self.difference(self.last_tick, 32)
        return self.last_tick

    def order(self):
        first = self.last_order is None
        self.last_order = self.u16() if first else self.difference(self.last_order, 16)
        return self.last_order

    def length(self):
        self.last_length = self.difference(self.last_length, 16)
        return self.last_length

    def one_of(self, allowed):
        value = self.u8()
        if value not in allowed:
            raise Refused("message")
        return value


def line(name, **fields):
    return " ".join([name] + [f"{key}={value}" for key, value in fields.items()])


def to_board(b, connect):
    tag = b.u8()
    if (tag == 0x01) != connect:
        raise Refused("message")
    if tag >= 0x80:
        order = b.order()
        for entry in range(tag - 0x80 + 1):
            if entry:
                order = b.last_order = (order + 1) % 0x10000
            valve, on, length = b.u8(), b.tick(), b.length()
            if length == 0:
                raise Refused("message")
            yield line("Fire", order=order, valve=valve, on=on, length=length)
    elif tag == 0x01:
        protocol, session = b.u8(), b.u16()
        if session == 0:
            raise Refused("message")
        yield line("Hello", protocol=protocol, session=session)
    elif tag == 0x02:
        yield line("Set", key=b.one_of(KEYS), index=b.u8(), value=b.u32())
    elif tag == 0x03:
        yield "Commit"
    elif tag == 0x04:
        yield line("Arm", settings_crc=b.u32())
    elif tag == 0x05:
        yield "Disarm"
    elif tag == 0x06:
        yield line("Feed", count=b.u16())
    elif tag == 0x07:
        yield line("Amend", order=b.order(), length=b.varint(16))
    elif tag == 0x08:
        yield line("Output", channel=b.u8(), value=b.u16())
    elif tag == 0x09:
        yield line("Pulse", valve=b.u8(), us=b.u16())
    else:
        raise Refused("message")


def measurement(b):
    eye, seq, flags, in_view = b.u8(), b.u16(), b.u8(), b.u8()
    status, upper = flags & 0x0F, flags >> 4
    if status > 9 or upper > 1 or (upper == 1 and status != 0):
        raise Refused("message")
    fields = dict(eye=eye, seq=seq, status=status, in_view=in_view)
    if status == 0:
        for name in "d_max_um d_mid_um d_min_um u_diameter_um u_ddp residual_um taper lab_l".split():
            fields[name] = b.u16()
        fields.update(lab_a=b.i16(), lab_b=b.i16(), u_lab=b.u16(), overtone_a=b.i16(), overtone_b=b.i16())
        fields.update(lustre=b.u16(), u_lustre=b.u16(), blemishes=b.u8(), blemish_area=b.u16(), u_blemish_area=b.u16())
    if upper == 1:
        fields["nacre_um"] = b.u16()
    return line("Measurement", **fields)


def samples(b):
    cell, first, at, count = b.u8(), b.u32(), b.u32(), b.u8()
    if not 1 <= count <= SAMPLES_MAX:
        raise Refused("message")
    values = [int.from_bytes(b.take(3), "little", signed=True) for _ in range(count)]
    return line("Samples", cell=cell, first=first, at=at, values=",".join(map(str, values)))


def status(b):
    at, tick, fed, queued, flags = b.u32(), b.tick(), b.u16(), b.u16(), b.one_of(range(4))
    armed, blowing = flags & 1, flags >> 1
    return line("Status", at=at, tick=tick, fed=fed, queued=queued, armed=armed, blowing=blowing, dropped=b.u16())


def identity(b):
    fields = {}
    for name, code in [
        ("protocol", "B"), ("uid", "Q"), ("firmware", "I"), ("valves", "B"), ("eyes", "B"), ("cells", "B"),
        ("channels", "B"), ("queue", "H"), ("window", "B"), ("horizon_ticks", "I"), ("max_on_us", "I"),
        ("settings_crc", "I"), ("starts", "H"),
    ]:
        fields[name] = b.fixed(code)
    if not 1 <= fields["window"] <= 32:
        raise Refused("message")
    return line("Identity", **fields)


def fault(b):
    number, of = b.one_of(range(14)), b.one_of(range(3))
    if of == 0:
        return line("Fault", fault=number, of=of, order=b.order())
    if of == 1:
        return line("Fault", fault=number, of=of, valve=b.u8())
    return line("Fault", fault=number, of=of)


def eye_event(name):
    return lambda b: line(name, eye=b.u8(), seq=b.u16(), tick=b.tick())


FROM_BOARD = {
    0x41: identity,
    0x42: lambda b: line("Settings", settings_crc=b.u32()),
    0x43: lambda b: "Armed",
    0x44: lambda b: line("Disarmed", by_watchdog=b.one_of(range(2))),
    0x45: status,
    0x46: lambda b: line("Index", tick=b.tick()),
    0x47: eye_event("Trigger"),
    0x48: eye_event("Passed"),
    0x49: measurement,
    0x4A: lambda b: line(
        "Mass", cell=b.u8(), number=b.u16(), entered=b.tick(), left=b.tick(), status=b.one_of(range(9)),
        mass_ug=b.varint(), u_mass_ug=b.varint(),
    ),
    0x4B: samples,
    0x4C: lambda b: line("Fired", order=b.order(), opened=b.tick(), open_us=b.varint()),
    0x4D: lambda b: line("Late", order=b.order(), tick=b.tick()),
    0x4E: fault,
    0x4F: lambda b: line("Done", order=b.order()),
    0x50: lambda b: line("Gone", order=b.order()),
    0x51: eye_event("Landed"),
    0x52: lambda b: line("Channel", channel=b.u8(), value=b.u16()),
    0x53: lambda b: line("Pulsed", valve=b.u8()),
}


def from_board(b, connect):
    tag = b.u8()
    if tag not in FROM_BOARD or (tag == 0x41) != connect:
        raise Refused("message")
    yield FROM_BOARD[tag](b)


def read_frame(encoded, direction):
    assert encoded[-1] == 0 and 0 not in encoded[:-1]
    if len(encoded) > 255:
        raise Refused("overrun")
    decoded = unstuff(encoded[:-1])
    if len(decoded) < 9:
        raise Refused("length")
    if crc32c(decoded[:-4]) != struct.unpack("<I", decoded[-4:])[0]:
        raise Refused("crc")
    first, session, seq, ack = struct.unpack("<BHBB", decoded[:5])
    version, kind, body = first >> 4, first & 0x0F, Body(decoded[5:-4])
    if kind > 3:
        raise Refused("header")
    if version != 1 and kind != 0:
        raise Refused("version")
    if session == 0 or (kind == 0 and (seq or ack)) or (kind >= 2 and body.more()):
        raise Refused("header")
    messages = []
    while body.more():
        messages += (to_board if direction == "to-board" else from_board)(body, kind == 0)
    if kind < 2 and not messages or kind == 0 and len(messages) != 1:
        raise Refused("message")
    return decoded, dict(version=version, kind=kind, session=session, seq=seq, ack=ack), messages


def check(name, fields):
    def all_of(key):
        return [value for k, value in fields if k == key]

    if name == "settings-checksum":
        data = b""
        for setting in all_of("setting"):
            key, index, value = (int(part.split("=")[1]) for part in setting.split())
            data += struct.pack("<BBI", key, index, value)
        return crc32c(data) == int(all_of("settings_crc")[0])
    encoded, [direction] = bytes.fromhex(all_of("encoded")[0]), all_of("direction")
    try:
        decoded, header, messages = read_frame(encoded, direction)
    except Refused as refused:
        return all_of("refused") == [str(refused)]
    named = all(all_of(key) == [str(value)] for key, value in header.items())
    return named and decoded == bytes.fromhex(all_of("decoded")[0]) and messages == all_of("message")


def main(path):
    assert crc32c(b"123456789") == 0xE3069283
    checked, wrong = 0, []
    for block in open(path, encoding="ascii").read().split("\n\n"):
        lines = [text for text in block.splitlines() if text and not text.startswith("#")]
        fields = [tuple(text.split(": ", 1)) for text in lines]
        if not fields:
            continue
        checked += 1
        if not check(fields[0][1], fields):
            wrong.append(fields[0][1])
    print(f"{checked} vectors read, {len(wrong)} wrong: {wrong}")
    return 0 if checked > 40 and not wrong else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
