#!/usr/bin/env bash
# Drives `souk fake-stripe` with Stripe's own Python library. Usage: run.sh PATH-OF-SOUK
set -euo pipefail
souk="$(realpath "${1:?usage: run.sh PATH-OF-SOUK}")"
cd "$(dirname "$0")"

if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends python3 python3-venv >/dev/null
fi
venv="${XDG_CACHE_HOME:-$HOME/.cache}/souk-fake-stripe-venv-$(sha256sum requirements.txt | cut -c 1-12)"
if [ ! -e "$venv/ready" ]; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r requirements.txt
  touch "$venv/ready"
fi

SOUK_BIN="$souk" PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" scenario.py
