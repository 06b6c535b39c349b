"""Reads and writes Kafka's record batches (v2) in segment files, with Python alone.

Written from the published layout (Apache Kafka, "Record Batch", and the LZ4 frame and block
formats), apart from the project's own code, so that a test can change what is on disk and repair
every checksum. Compressed batches are read if they are lz4; all are written uncompressed.
"""
import pathlib
import struct
from typing import NamedTuple, Optional

HEADER = struct.Struct(">qiibIhiqqqhii")


class Record(NamedTuple):
    offset: int
    time: int
    key: Optional[bytes]
    value: Optional[bytes]
    # Encoded as in the record: count, names, values.
    headers: bytes


def _table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


TABLE = _table()


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = TABLE[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF


def lz4(frame):
    """The content of an LZ4 frame."""
    assert frame[:4] == b"\x04\x22\x4d\x18", "not an LZ4 frame"
    flags = frame[4]
    position = 7 + (8 if flags & 8 else 0) + (4 if flags & 1 else 0)
    out = bytearray()
    while True:
        (size,) = struct.unpack_from("<I", frame, position)
        position += 4
        if size == 0:
            return bytes(out)
        block = frame[position:position + (size & 0x7FFFFFFF)]
        position += len(block) + (4 if flags & 16 else 0)
        if size >> 31:
            out += block
        else:
            lz4_block(block, out)


def lz4_block(block, out):
    position = 0

    def length(total):
        nonlocal position
        byte = 255 if total == 15 else 0
        while byte == 255:
            byte = block[position]
            position += 1
            total += byte
        return total

    while position < len(block):
        token = block[position]
        position += 1
        literals = length(token >> 4)
        out += block[position:position + literals]
        position += literals
        if position >= len(block):
            return
        distance = block[position] | block[position + 1] << 8
        position += 2
        count = length(token & 15) + 4
        for _ in range(count):
            out.append(out[-distance])


def varint(value):
    value = value << 1 ^ value >> 63
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data, position):
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value >> 1 ^ -(value & 1), position


def read_bytes(data, position):
    length, position = read_varint(data, position)
    if length < 0:
        return None, position
    return data[position:position + length], position + length


def write_bytes(value):
    return varint(-1) if value is None else varint(len(value)) + value


def read_segment(path):
    """All records of a segment file."""
    data, position, records = pathlib.Path(path).read_bytes(), 0, []
    while position < len(data):
        fields = HEADER.unpack_from(data, position)
        base, length, codec = fields[0], fields[1], fields[5] & 7
        first, count = fields[7], fields[12]
        body = data[position + HEADER.size:position + 12 + length]
        assert crc32c(data[position + 21:position + 12 + length]) == fields[4], f"{path}: CRC"
        assert codec in (0, 3), f"{path}: codec {codec}"
        body = lz4(body) if codec == 3 else body
        place = 0
        for _ in range(count):
            size, place = read_varint(body, place)
            end = place + size
            time, place = read_varint(body, place + 1)
            offset, place = read_varint(body, place)
            key, place = read_bytes(body, place)
            value, place = read_bytes(body, place)
            records.append(Record(base + offset, first + time, key, value, body[place:end]))
            place = end
        position += 12 + length
    return records


def write_segment(path, records):
    """Replaces a segment by these records, in one batch, and deletes its indexes."""
    path, body = pathlib.Path(path), bytearray()
    base, first = records[0].offset, records[0].time
    for record in records:
        content = (b"\0" + varint(record.time - first) + varint(record.offset - base)
                   + write_bytes(record.key) + write_bytes(record.value) + record.headers)
        body += varint(len(content)) + content
    checked = struct.pack(
        ">hiqqqhii", 0, records[-1].offset - base, first, max(r.time for r in records), -1, -1, -1,
        len(records)) + body
    path.write_bytes(
        struct.pack(">qiibI", base, len(checked) + 9, 0, 2, crc32c(checked)) + checked)
    for suffix in [".index", ".timeindex"]:
        path.with_suffix(suffix).unlink(missing_ok=True)


def write_partition(directory, records):
    """Replaces all of a partition by these records and publishes just them.

    Where nothing is left the partition has one empty segment.
    """
    directory = pathlib.Path(directory)
    topic, _, partition = directory.name.rpartition("-")
    for path in directory.glob("*"):
        if path.suffix in (".log", ".index", ".timeindex", ".snapshot"):
            path.unlink()
    path = directory / f"{0:020}.log"
    if records:
        write_segment(path, records)
    else:
        path.write_bytes(b"")
    end = records[-1].offset + 1 if records else 0
    for name in ["replication-offset-checkpoint", "recovery-point-offset-checkpoint"]:
        file = directory.parent / name
        lines = file.read_text().splitlines()
        lines = [f"{topic} {partition} {end}" if line.rpartition(" ")[0] == f"{topic} {partition}"
                 else line for line in lines]
        file.write_text("\n".join(lines) + "\n")


def read_partition(directory):
    records = []
    for path in sorted(pathlib.Path(directory).glob("*.log")):
        records += read_segment(path)
    return records
