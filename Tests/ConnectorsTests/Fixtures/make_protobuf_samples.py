"""Writes site.desc and protobuf-samples.txt: values as Google's Protocol Buffers write them.

    python3 make_protobuf_samples.py

The values and what they should be read as come from `protobuf_oracle.py`, whose own encoder must
give what Google's reads and writes as the same. Written with protobuf 7.36.2 and grpcio-tools
1.85.1 (PyPI), for protoc.
"""
import json
import pathlib
import random
import subprocess
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))
import protobuf_oracle  # noqa: E402


def main():
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", "-I.", "--include_imports",
         "--descriptor_set_out=site.desc", "site.proto"], cwd=FOLDER, check=True)
    files = descriptor_pb2.FileDescriptorSet.FromString((FOLDER / "site.desc").read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    message = message_factory.GetMessageClass(pool.FindMessageTypeByName("site.Outer.Load"))
    source = random.Random(20261123)
    lines = []
    for _ in range(200):
        parts, expected = protobuf_oracle.load(source)
        own = b"".join(parts)
        read = message.FromString(own)
        written = read.SerializeToString(deterministic=True)
        assert message.FromString(written) == read and len(written) == len(own), own.hex()
        lines.append(json.dumps({"value": own.hex(), "expected": expected}))
        # Maps are written by key; all else in the same bytes.
        if len(read.limits) < 2 and len(read.chart) < 2:
            assert written == own, (own.hex(), written.hex())
    (FOLDER / "protobuf-samples.txt").write_text("\n".join(lines) + "\n")


main()
