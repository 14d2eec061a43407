#!/bin/sh
# Everything that only a machine with an NVIDIA GPU can show, in ten minutes at most and unattended.
#
#     sh benchmarks/gpu_check.sh [RESULT.json]
#
# Installs into an environment of its own where the libraries for CUDA are missing (PYTHON names the
# interpreter). One JSON holds what ran, failures included; see gpu_check.py. Exit codes: 0 all
# passed, 1 something failed, 2 there is no GPU.
exec "${PYTHON:-python3}" "$(dirname "$0")/gpu_check.py" "$@"
