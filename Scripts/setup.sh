#!/usr/bin/env bash
# Installs the system packages that Plumbline builds and tests with, through apt, when they are
# missing. Does nothing, quickly, when all are there. Uses sudo when not root.
set -euo pipefail

missing=()
need() { # need PACKAGE COMMAND...: asks for the package unless the command succeeds
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

if ! command -v swift >/dev/null 2>&1; then
    echo "setup: no swift here; install Swift 6.3 or newer:" >&2
    echo "    https://www.swift.org/install/linux/" >&2
    exit 1
fi

need pkg-config command -v pkg-config
need liblz4-dev pkg-config --exists liblz4
need libzstd-dev pkg-config --exists libzstd
need zlib1g-dev pkg-config --exists zlib
need libsnappy-dev pkg-config --exists snappy
need librdkafka-dev pkg-config --exists rdkafka
need libsimdjson-dev test -e /usr/include/simdjson.h
# The tests read our log with an independent reader, and a log of an independent writer, in the
# system's own Python.
need python3 test -x /usr/bin/python3
need python3-kafka /usr/bin/python3 -c 'import kafka'
need kcat command -v kcat
need python3-lz4 /usr/bin/python3 -c 'import lz4.frame'
need python3-zstandard /usr/bin/python3 -c 'import zstandard'
# They judge what we write: documents by their JSON Schema, pictures, completion scripts.
need python3-yaml /usr/bin/python3 -c 'import yaml'
need python3-jsonschema /usr/bin/python3 -c 'import jsonschema'
need graphviz command -v dot
need zsh command -v zsh
need python3-snappy /usr/bin/python3 -c 'import snappy'

if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

echo "setup: missing packages: ${missing[*]}"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "setup: no apt-get here; install what these Debian packages hold, then try again" >&2
    exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "setup: not root and no sudo; ask someone with rights to run:" >&2
        echo "    apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

install_packages() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${missing[@]}"
}

if ! "${as_root[@]}" apt-get update -q; then
    echo "setup: apt-get update failed; trying with the package lists that are here" >&2
fi
if ! install_packages; then
    echo "setup: apt-get could not install: ${missing[*]} (its reason is above)" >&2
    exit 1
fi
echo "setup: installed ${missing[*]}"
