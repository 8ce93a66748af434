#!/bin/bash
# The part of the official Postgres image's contract that pgauntlet relies on: POSTGRES_USER and
# POSTGRES_PASSWORD, a cluster made at the first start, a temporary server before the real one
# (so "ready to accept connections" is logged twice), and postgres options as arguments.
set -euo pipefail

[ "${1#-}" = "$1" ] || set -- postgres "$@"
[ "$1" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  chown -R postgres:postgres "$PGDATA" /var/run/postgresql
  chmod 700 "$PGDATA"
  exec gosu postgres "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  : "${POSTGRES_PASSWORD:?must be set}" "${POSTGRES_USER:=postgres}"
  initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") \
    --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
  # pg_ctl sends the temporary server's messages to standard output, the real one's go to error.
  pg_ctl -D "$PGDATA" -w -o "$(printf '%q ' "${@:2}" -c listen_addresses=)" start
  pg_ctl -D "$PGDATA" -w -m fast stop
  echo 'PostgreSQL init process complete; ready for start up.'
fi

exec "$@"
