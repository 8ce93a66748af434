# What ci/nightly and ci/pre-release have in common: majors, the program, running with an orderly
# end, and what is made of the results. To be sourced; sets `set -uo pipefail` and traps.
# shellcheck shell=bash
# shellcheck disable=SC2034  # who sources it uses what is set here

set -uo pipefail

lib_home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ci_dir=${PGAUNTLET_CI_DIR:-/var/lib/pgauntlet-ci}
script=${0##*/}

# pgauntlet's own exit codes.
readonly as_expected=0 not_as_expected=1 bad_input=2 unproven=3 failed=4 interrupted=130

# A seeded database, its copy and the WAL of the longest change, at full size and at --quick.
readonly disk_gib_full=20 disk_gib_quick=4

say() { printf '%s: %s\n' "$script" "$*"; }

# The line and the code with which a script gives up.
give_up() {
  local code=$1
  shift
  printf '%s: failed to %s\n' "$script" "$*" >&2
  exit "$code"
}

# The worse of two exit codes. What could not be looked at is worse than what is wrong, since nobody
# knows what it would have told; unproven is the least that is not as it should be.
worse() {
  local code
  # A code that is none of ours is a failure of ours: a panic, or a process that was killed.
  for code in "$1" "$2"; do
    case $code in
      "$as_expected" | "$not_as_expected" | "$bad_input" | "$unproven" | "$failed") ;;
      *) echo $failed; return ;;
    esac
  done
  for code in $failed $bad_input $not_as_expected $unproven; do
    if [ "$1" = "$code" ] || [ "$2" = "$code" ]; then echo "$code"; return; fi
  done
  echo $as_expected
}

# The value of an option that has one.
value_of() {
  [ "$2" -ge 2 ] || give_up $bad_input "understand $1: it needs a value; see $script --help"
}

check_comparison() {
  local fail_on=$1 baseline=$2
  case $fail_on in
    regression | undecided | never) ;;
    *) give_up $bad_input "understand --fail-on $fail_on; it is regression, undecided or never" ;;
  esac
  [ -z "$baseline" ] || [ -f "$baseline" ] || give_up $bad_input "read $baseline: it is no file"
}

# --- ends

child=

# Ctrl-C and a CI system's signal reach this process: all that it waits for is told to end, and has
# ended when we are gone.
on_signal() {
  trap '' INT TERM HUP
  if [ -n "$child" ]; then
    kill -TERM -- "-$child" 2>/dev/null
    wait "$child" 2>/dev/null
  fi
  printf '\n%s: interrupted\n' "$script" >&2
  exit $interrupted
}
trap on_signal INT TERM HUP

# Runs a command so that a signal is heard while it runs. Job control gives it a group of its own,
# so that what it has started can be told as well; without it the command would not hear Ctrl-C.
run_child() {
  local code
  set -m
  "$@" &
  child=$!
  set +m
  wait "$child"
  code=$?
  child=
  # It heard the signal, and we did not: whoever ran us wants no more either.
  [ $code -ne $interrupted ] || exit $interrupted
  return $code
}

# --- servers and tools

# The directories of server binaries: those that whoever runs us names, Debian's, and ci/setup's.
server_directories() {
  local directory named
  IFS=: read -r -a named <<<"${PGAUNTLET_PG_DIRS:-}"
  for directory in "${named[@]}" /usr/lib/postgresql/*/bin "$ci_dir"/pg/*/native/bin; do
    [ -x "$directory/initdb" ] && echo "$directory"
  done
}

installed_majors() {
  local directory
  while read -r directory; do
    "$directory/postgres" --version | sed -n 's/^postgres (PostgreSQL) \([0-9]*\).*/\1/p'
  done < <(server_directories) | sort -n -u
}

# What a run finds: servers for --pg, migration tools for commands.
export_surroundings() {
  local tools=${PGAUNTLET_TOOLS:-$ci_dir/tools} directory
  PGAUNTLET_PG_DIRS=$(server_directories | tr '\n' ':')
  export PGAUNTLET_PG_DIRS=${PGAUNTLET_PG_DIRS%:} PGAUNTLET_TOOLS=$tools
  for directory in node/node_modules/.bin dbmate/bin cargo/bin python/bin; do
    if [ -d "$tools/$directory" ]; then PATH=$tools/$directory:$PATH; fi
  done
  export PATH
}

# Runs ci/setup unless all that is asked for is here. An engine that it starts goes with us.
set_up() {
  local missing=$1
  [ -n "$missing" ] || return 0
  say "$missing is not installed; running ci/setup"
  if ! { command -v docker >/dev/null && docker info >/dev/null 2>&1; }; then
    trap '"$lib_home/setup" --stop' EXIT
  fi
  run_child "$lib_home/setup" || give_up $failed "install $missing; --no-setup goes on without it"
}

# The first of the majors asked for that is not here, else Alembic if it is not.
missing_of() {
  local major installed
  installed=$(installed_majors)
  [ -n "$installed" ] || { echo "a server"; return; }
  for major in "$@"; do
    grep -qx "$major" <<<"$installed" || { echo "PostgreSQL $major"; return; }
  done
  [ -x "${PGAUNTLET_TOOLS:-$ci_dir/tools}/python/bin/alembic" ] || command -v alembic >/dev/null ||
    echo "Alembic"
}

# Sets `majors` to those asked for, or all; each must be there.
choose_majors() {
  local major installed
  installed=$(installed_majors)
  [ -n "$installed" ] || give_up $failed "find a server; run ci/setup, or install postgresql"
  # shellcheck disable=SC2206  # majors are numbers with blanks between
  majors=(${1:-$installed})
  for major in "${majors[@]}"; do
    grep -qx "$major" <<<"$installed" ||
      give_up $bad_input "find PostgreSQL $major: installed are ${installed//$'\n'/, }"
  done
}

# --- the program

# Sets `pgauntlet`: $PGAUNTLET, else what this checkout builds, else the one on PATH.
find_program() {
  local root=$lib_home/..
  if [ -n "${PGAUNTLET:-}" ]; then
    pgauntlet=$PGAUNTLET
  elif [ -f "$root/Cargo.toml" ] && grep -q '^name = "pgauntlet"' "$root/Cargo.toml"; then
    say "building"
    run_child cargo build --release --locked --quiet --manifest-path "$root/Cargo.toml" ||
      give_up $failed "build pgauntlet"
    pgauntlet=${CARGO_TARGET_DIR:-$root/target}/release/pgauntlet
  else
    pgauntlet=$(command -v pgauntlet) || true
  fi
  "$pgauntlet" --version >/dev/null 2>&1 ||
    give_up $failed "run pgauntlet (${pgauntlet:-none on PATH}); PGAUNTLET says where it is"
}

# --- directories

# A directory of ours alone, so that nothing of an earlier run is taken for this one's.
claim_directory() {
  local out=$1
  [ ! -e "$out" ] || [ -d "$out" ] || give_up $bad_input "write to $out: it is a file"
  [ -z "$(ls -A "$out" 2>/dev/null)" ] || give_up $bad_input "write to $out: it is not empty"
  mkdir -p "$out" 2>/dev/null || give_up $bad_input "make $out"
  # What a command of commands.txt needs to find, to be run again by hand.
  printf 'export %s=%q\n' PATH "$PATH" PGAUNTLET_PG_DIRS "${PGAUNTLET_PG_DIRS:-}" \
    >"$out/commands.txt"
}

# Room where results go, and where servers keep their data.
need_disk() {
  local gib=$1 place free
  shift
  for place in "$@"; do
    # The directory may be made later.
    while [ ! -d "$place" ]; do place=$(dirname "$place"); done
    free=$(df -Pk "$place" | awk 'NR == 2 { print int($4 / 1048576) }')
    [ "$free" -ge "$gib" ] ||
      give_up $failed "start: $place has $free GiB left, and a run may need $gib"
  done
}

# Where pgauntlet keeps seeded databases unless it is told otherwise.
cache_directory() {
  if [ -n "${PGAUNTLET_CACHE:-}" ]; then
    echo "$PGAUNTLET_CACHE"
  elif [ "$(id -u)" = 0 ]; then
    echo /var/cache/pgauntlet
  else
    echo "${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/pgauntlet"
  fi
}

# All that comes before the first run: room, what is missing, majors, the program, the directory.
# prepare DISK_GIB OUT SETUP MAJORS
prepare() {
  need_disk "$1" "$2" "$(cache_directory)"
  # shellcheck disable=SC2086  # majors are numbers with blanks between
  [ "$3" = no ] || set_up "$(missing_of $4)"
  choose_majors "$4"
  export_surroundings
  find_program
  claim_directory "$2"
}

# --- running

# Runs pgauntlet for one result, and writes down how it ended beside it: whoever joins shards needs
# to know that one never came to its end. The command that is written down leaves this result alone.
run_result() {
  local directory=$1 code
  shift
  printf '%q ' "$pgauntlet" "$@" >>"${directory%/*}/commands.txt"
  printf '%q %q\n' --out "$directory-again" >>"${directory%/*}/commands.txt"
  run_child "$pgauntlet" "$@" --out "$directory"
  code=$?
  echo "$code" >"$directory.exit-code"
  [ "$code" -eq 0 ] || say "${directory##*/} ended with exit code $code; going on"
  return "$code"
}

# The worst of the exit codes written down beside these results; none written is a failure.
worst_of() {
  local directory worst=0 code
  for directory in "$@"; do
    code=$(cat "$directory.exit-code" 2>/dev/null) || code=$failed
    worst=$(worse "$worst" "$code")
  done
  echo "$worst"
}

# --- what is made of results

# Joins results into OUT/all; 0 if there is one.
join_results() {
  local out=$1 directory with_result=()
  shift
  for directory in "$@"; do
    if [ -f "$directory/result.json" ]; then
      with_result+=("$directory")
    else
      say "$directory has no result.json; what it would have told is missing from the report"
    fi
  done
  [ ${#with_result[@]} -gt 0 ] || return $failed
  run_child "$pgauntlet" merge "${with_result[@]}" --out "$out/all" || return $failed
  cp "$out/all/result.json" "$out/result.json" || return $failed
}

# Every format, each by itself: one that fails is no reason to have none.
render() {
  local out=$1 format file worst=0
  while read -r format file; do
    run_child "$pgauntlet" report "$out/all" --format "$format" --out "$out/$file" ||
      { say "failed to write $out/$file"; worst=$failed; }
  done <<'FORMATS'
html report.html
junit junit.xml
sarif report.sarif
markdown summary.md
prometheus metrics.prom
text report.txt
FORMATS
  return $worst
}

# Against the baseline; the exit code is compare's own.
compare() {
  local out=$1 baseline=$2 fail_on=$3 code
  run_child "$pgauntlet" compare "$baseline" "$out/all" --fail-on "$fail_on" \
    --format json --out "$out/compare.json"
  code=$?
  run_child "$pgauntlet" compare "$baseline" "$out/all" --fail-on never \
    --format markdown --out "$out/compare.md" || code=$(worse "$code" $failed)
  [ "$code" -eq 0 ] || say "compared with $baseline: exit code $code, see $out/compare.md"
  return "$code"
}

# Joins, renders and compares; prints where everything is; the worst code is the outcome.
# conclude OUT BASELINE FAIL_ON RESULT…
conclude() {
  local out=$1 baseline=$2 fail_on=$3 worst
  shift 3
  worst=$(worst_of "$@")
  if join_results "$out" "$@"; then
    render "$out" || worst=$(worse "$worst" $?)
    if [ -n "$baseline" ]; then
      compare "$out" "$baseline" "$fail_on" || worst=$(worse "$worst" $?)
    fi
  else
    say "there is nothing to report on"
    worst=$(worse "$worst" $failed)
  fi
  tell_where "$out" "$worst"
  return "$worst"
}

tell_where() {
  local out=$1 code=$2
  say "$(meaning_of "$code") (exit code $code, $((SECONDS / 60)) min)"
  say "reports and results are in $out: start with summary.md or report.html"
  if [ "$code" -ne 0 ]; then
    say "one trial again: $(printf '%q ' "$pgauntlet" repro "$out/all")--trial N" \
      "(summary.md numbers them)"
    # What was only collected was run elsewhere.
    if grep -q -- ' --out ' "$out/commands.txt"; then
      say "all of it again: the lines of $out/commands.txt"
    fi
  fi
}

meaning_of() {
  case $1 in
    "$as_expected") echo "as expected" ;;
    "$not_as_expected") echo "not as expected" ;;
    "$bad_input") echo "bad command line or file" ;;
    "$unproven") echo "unproven" ;;
    *) echo "failed" ;;
  esac
}
