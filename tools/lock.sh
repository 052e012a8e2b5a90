#!/usr/bin/env bash
# Makes both lock files again, with hashes and without any address.
set -euo pipefail
cd "$(dirname "$0")/.."
compile=(.tools/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes
         --no-header --no-emit-index-url --no-annotate "$@" pyproject.toml)
"${compile[@]}" -o requirements.lock
"${compile[@]}" --group dev --extra postgres --extra spark --extra pandas -c requirements.lock -o requirements-dev.lock
