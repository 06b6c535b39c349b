"""Reads segment files with python3-kafka, an implementation that shares nothing with ours.

Prints one JSON object for each record: offset, timestamp, key, value, headers (bytes in hex).
Every batch's CRC is checked. Exit status 3 when python3-kafka or a codec module is missing.

    read_segment.py FILE.log...
"""

import json
import sys

try:
    import lz4.frame  # noqa: F401  (used by kafka.codec)
    import zstandard  # noqa: F401
    from kafka.record.memory_records import MemoryRecords
except ImportError as error:
    print(f"{error}: run the set-up script, which installs python3-kafka, python3-lz4 and "
          "python3-zstandard", file=sys.stderr)
    sys.exit(3)


def text(data):
    return None if data is None else bytes(data).hex()


def main(paths):
    for path in paths:
        with open(path, "rb") as file:
            records = MemoryRecords(file.read())
        while records.has_next():
            batch = records.next_batch()
            if not batch.validate_crc():
                sys.exit(f"{path}: CRC of the batch at offset {batch.base_offset} is wrong")
            if batch.is_control_batch:
                continue
            for record in batch:
                print(json.dumps({
                    "offset": record.offset,
                    "timestamp": record.timestamp,
                    "key": text(record.key),
                    "value": text(record.value),
                    "headers": [[name.encode().hex(), text(value)]
                                for name, value in record.headers],
                }))


if __name__ == "__main__":
    main(sys.argv[1:])
