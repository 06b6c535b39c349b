"""Writes record batches with python3-kafka, an implementation that shares nothing with ours.

Reads lines of JSON from standard input, one a batch: an array of records (timestamp, key, value,
headers; bytes in hex). Offsets ascend from 0. Exit status 3 when a module is missing.

    write_segment.py gzip|snappy|snappy-raw|lz4 FILE.log
"""

import functools
import json
import sys

try:
    import lz4.frame  # noqa: F401  (used by kafka.codec)
    import snappy  # noqa: F401
    from kafka.record import default_records
except ImportError as error:
    print(f"{error}: run the set-up script, which installs python3-kafka, python3-lz4 and "
          "python3-snappy", file=sys.stderr)
    sys.exit(3)

CODECS = {"gzip": 1, "snappy": 2, "snappy-raw": 2, "lz4": 3}


def data(text):
    return None if text is None else bytes.fromhex(text)


def main(codec, path):
    if codec == "snappy-raw":
        default_records.snappy_encode = functools.partial(
            default_records.snappy_encode, xerial_compatible=False)
    offset = 0
    with open(path, "wb") as file:
        for line in sys.stdin:
            records = json.loads(line)
            builder = default_records.DefaultRecordBatchBuilder(
                magic=2, compression_type=CODECS[codec], is_transactional=False,
                producer_id=-1, producer_epoch=-1, base_sequence=-1, batch_size=1 << 30)
            for index, record in enumerate(records):
                builder.append(
                    index, timestamp=record["timestamp"], key=data(record.get("key")),
                    value=data(record.get("value")),
                    headers=[(data(name).decode(), data(value))
                             for name, value in record["headers"]])
            batch = bytes(builder.build())
            if batch[22] & 7 != CODECS[codec]:
                sys.exit(f"the batch at offset {offset} was not worth compressing")
            # The base offset is outside the checksum.
            file.write(offset.to_bytes(8, "big") + batch[8:])
            offset += len(records)


if __name__ == "__main__":
    main(*sys.argv[1:])
