#!/usr/bin/env bash
# A throw-away PostgreSQL on loopback, for the tests that need one. It installs nothing.
#
#   eval "$(tools/postgres.sh start)"                 starts one and exports where it is
#   tools/postgres.sh stop "$QINGLAN_TEST_POSTGRES_DIR"   stops it and removes its folder
#
# Exit code 3: there is no PostgreSQL on this machine, or no user to run it as.
set -euo pipefail

refuse() { echo "tools/postgres.sh: $1" >&2; exit "${2:-1}"; }

programs() {
    local found
    found=$(command -v initdb || true)
    [ -n "$found" ] || found=$(ls -1 /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb 2>/dev/null | sort -V | tail -n 1)
    [ -n "$found" ] || refuse "no PostgreSQL server here (package postgresql); its tests will be skipped" 3
    dirname "$(readlink -f "$found")"
}

# PostgreSQL refuses to run as root.
as_server() {
    if [ "$(id -u)" -ne 0 ]; then "$@"
    elif command -v runuser >/dev/null; then runuser -u postgres -- "$@"
    else su postgres -s /bin/sh -c "$(printf '%q ' "$@")"
    fi
}

start() {
    local bin folder port password
    bin=$(programs)
    [ "$(id -u)" -ne 0 ] || id postgres >/dev/null 2>&1 || refuse "root cannot run PostgreSQL and there is no user postgres" 3
    folder=$(mktemp -d "${TMPDIR:-/tmp}/qinglan-postgres.XXXXXX")
    [ "$(id -u)" -ne 0 ] || chown postgres "$folder"
    cd "$folder"
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    (umask 077; printf '%s\n' "$password" >password)
    [ "$(id -u)" -ne 0 ] || chown postgres password
    as_server "$bin/initdb" --pgdata="$folder/data" --username=qinglan --pwfile="$folder/password" --auth=scram-sha-256 \
        --encoding=UTF8 --locale=C --no-sync >"$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log" >&2; refuse "initdb failed"; }
    for port in $(seq 54330 54369); do
        # Taken ports fail here; the next one is tried. Durability is off: nothing in it outlives the tests.
        if as_server "$bin/pg_ctl" --pgdata="$folder/data" --log="$folder/data/server.log" --wait --timeout=30 \
            --options="-h 127.0.0.1 -p $port -k $folder/data -c fsync=off -c max_connections=60 -c timezone=Asia/Tokyo" \
            start >/dev/null 2>&1; then
            echo "export QINGLAN_TEST_POSTGRES=postgresql+psycopg://qinglan:$password@127.0.0.1:$port/postgres"
            echo "export QINGLAN_TEST_POSTGRES_DIR=$folder"
            return
        fi
    done
    tail -n 5 "$folder/data/server.log" >&2 || true
    rm -rf "$folder"
    refuse "PostgreSQL did not start on any port of 54330-54369"
}

stop() {
    local folder=$1 bin
    case "$folder" in */qinglan-postgres.*) ;; *) refuse "$folder is no folder of this script" ;; esac
    [ -d "$folder/data" ] || return 0
    bin=$(programs)
    (cd "$folder" && as_server "$bin/pg_ctl" --pgdata="$folder/data" --mode=immediate --wait stop >/dev/null 2>&1) || true
    rm -rf "$folder"
}

case "${1:-start}" in
    start) start ;;
    stop) [ $# -eq 2 ] || refuse "which folder? tools/postgres.sh stop DIR"; stop "$2" ;;
    *) refuse "start, or stop DIR" ;;
esac
