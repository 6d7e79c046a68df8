#!/bin/sh
# Prepares this folder for running (`setup.sh run`) or for testing (`setup.sh dev`); quick when there is nothing to do.
set -eu
cd "$(dirname "$0")/.."

venv=.venv
purpose=${1:-run}
browser_font=/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf # covers English and Vietnamese

say() { printf '%s\n' "setup: $*"; }
warn() { say "$*" >&2; }
stop() {
    warn "$*"
    exit 4
}
has() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1; }

# Running the application must not change the system behind a person's back: only root installs packages then.
may_install() {
    has apt-get || return 1
    [ "$(id -u)" = 0 ] && return 0
    [ "$purpose" = dev ] && has sudo && sudo -n true 2>/dev/null
}

as_root() {
    # 9 is the lock: a service that a package starts would hold it for ever.
    if [ "$(id -u)" = 0 ]; then "$@" 9<&-; else sudo -n "$@" 9<&-; fi
}

install_packages() {
    say "installing Debian packages: $*"
    log=$(mktemp)
    as_root apt-get update -q >"$log" 2>&1 || true # a stale list may still be good enough
    if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
        install --no-install-recommends "$@" >>"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        stop "apt-get could not install: $*"
    fi
    rm -f "$log"
}

find_python() {
    for name in "${PYTHON:-python3.11}" python3.11 python3.12 python3.13 python3.14 python3; do
        # The real path, because "python3" may become another version when the system is upgraded.
        "$name" -c 'import os, sys; sys.version_info >= (3, 11) or sys.exit(1); print(os.path.realpath(sys.executable))' \
            2>/dev/null && return 0
    done
    return 1
}

# "whole" is there unless something was being installed: what was cut off in the middle is made again from nothing.
make_environment() {
    [ -e "$venv/whole" ] && [ -x "$venv/bin/python" ] && return 0
    rm -rf "$venv"
    python=$(find_python) || {
        may_install || stop "Python 3.11 or later is needed; on Debian 12: sudo apt-get install python3 python3-venv libcurl4"
        install_packages python3 python3-venv
        python=$(find_python) || stop "Debian's python3 is older than 3.11; install Python 3.11 and set PYTHON to it"
    }
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null && may_install; then
        install_packages "$package"
    fi
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv "$venv"
    elif "$python" -m virtualenv --version >/dev/null 2>&1; then
        "$python" -m virtualenv --quiet "$venv"
    elif has virtualenv; then
        virtualenv --quiet --python "$python" "$venv"
    else
        # Named together, because who asks an administrator wants to ask once.
        stop "Python's venv module is missing: sudo apt-get install $package libcurl4"
    fi
    : >"$venv/whole"
    say "made $venv with $("$python" --version)"
}

# The stamp is a copy of the file itself, made when everything in it is installed.
install_requirements() {
    stamp="$venv/installed-$1"
    cmp -s "$1" "$stamp" && return 0
    say "installing the Python packages of $1 (a minute or two)"
    rm -f "$venv/whole"
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-input -r "$1" ||
        stop "pip could not install $1; the lines above say why"
    cp "$1" "$stamp"
    : >"$venv/whole"
}

# The MongoDB server that comes as a Python package needs libcurl4, which a minimal Debian does not have.
check_embedded_database() {
    [ -e "$venv/mongod-works" ] && return 0
    for mongod in "$venv"/lib/python*/site-packages/fiftyone/db/bin/mongod; do
        [ -e "$mongod" ] || return 0 # no such package for this machine
        "$mongod" --version >/dev/null 2>&1 || { may_install && install_packages libcurl4; } || true
        if "$mongod" --version >/dev/null 2>&1; then
            : >"$venv/mongod-works"
        else
            warn "the embedded MongoDB server cannot start here (on Debian: sudo apt-get install libcurl4);" \
                "or set MONGODB_URI in .env"
        fi
    done
}

make_settings_file() {
    [ -e .env ] && return 0
    "$venv/bin/python" - <<'PYTHON'
import os, pathlib, secrets

template = pathlib.Path(".env.example").read_text(encoding="utf-8")
fresh = f".env.{os.getpid()}"
with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
    file.write(template.replace("\nSECRET_KEY=\n", f"\nSECRET_KEY={secrets.token_urlsafe(48)}\n"))
os.rename(fresh, ".env")
PYTHON
    say "made .env with a fresh SECRET_KEY; every other setting is explained there"
}

# The tests drive Debian's own Chromium, a real nginx and a real Redis.
install_test_programs() {
    missing=
    has chromium || missing="$missing chromium"
    [ -e "$browser_font" ] || missing="$missing fonts-dejavu-core"
    has nginx || missing="$missing nginx-light"
    has redis-server || missing="$missing redis-server"
    has git || missing="$missing git"
    has strace || missing="$missing strace"
    [ -n "$missing" ] || return 0
    if ! may_install; then
        warn "some tests need programs that are not here: sudo apt-get install$missing"
        return 0
    fi
    # shellcheck disable=SC2086 # a list of words
    install_packages $missing
    # The tests start their own copies on free ports; what Debian's packages started is not wanted.
    for service in nginx redis-server; do
        case "$missing" in *"$service"*)
            [ ! -d /run/systemd/system ] || as_root systemctl disable --quiet --now "$service" || true
            ;;
        esac
    done
}

case "$purpose" in
run | dev) ;;
*)
    warn "usage: scripts/setup.sh [run | dev]"
    exit 2
    ;;
esac

# Two runs at once wait for each other. The lock is this script itself, so that nothing is left behind.
exec 9<scripts/setup.sh
if has flock; then flock 9; fi

make_environment
install_requirements requirements.txt
check_embedded_database
make_settings_file
if [ "$purpose" = dev ]; then
    install_requirements requirements-dev.txt
    install_test_programs
fi
