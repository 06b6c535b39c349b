#!/usr/bin/env python3
"""Writes hj212-crc.txt: data in hex, checksum of HJ 212-2017 annex A, Modbus CRC-16.

An implementation of its own, bit by bit on integers, so that the Swift one is checked against
something other than itself. Run: python3 make_hj212_crc.py > hj212-crc.txt
"""
import random


def annex_a(data):
    register = 0xFFFF
    for byte in data:
        register = (register >> 8) ^ byte
        for _ in range(8):
            carry = register % 2
            register //= 2
            if carry:
                register ^= 0xA001
    return register


def modbus(data):
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            carry = register % 2
            register //= 2
            if carry:
                register ^= 0xA001
    return register


# The worked example of annex A ends in 1C80.
EXAMPLE = (b"QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;"
           b"CP=&&RtdInterval=30&&")
assert annex_a(EXAMPLE) == 0x1C80
# The check value of CRC-16/MODBUS.
assert modbus(b"123456789") == 0x4B37

source = random.Random(212)
for data in [b"", b"\x00", b"123456789", EXAMPLE] + [
        source.randbytes(source.randrange(1, 200)) for _ in range(60)]:
    print(f"{data.hex() or '-'} {annex_a(data):04X} {modbus(data):04X}")
