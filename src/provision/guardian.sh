# Waits on standard input for the end of the process that started it. The word "done" means that
# nothing is left to do; the end without it means that the process is dead.
#
# The end comes only after every child that was being forked has become its own program: until
# then the child holds the pipe too. So whatever was started can be found by its command line.
trap '' HUP INT QUIT TERM

word=
read -r word
[ "$word" = done ] && exit 0

# Pids of the postgres, initdb or pg_basebackup that was started on our directories, and of nothing
# else.
servers() {
  if [ -r /proc/self/cmdline ]; then
    printf '%s\n%s\n%s\n' "$DATA" "$NEW_DATA" "$STANDBY" |
      grep -lzxF -f - /proc/[0-9]*/cmdline 2>/dev/null |
      while IFS=/ read -r _ _ pid _; do
        program=$(tr '\000' '\n' 2>/dev/null <"/proc/$pid/cmdline" | head -n 1)
        case $program in */postgres | */initdb | */pg_basebackup) echo "$pid" ;; esac
      done
  else
    ps -A -o pid= -o command= 2>/dev/null |
      grep -F -e "/postgres -D $DATA " -e "/initdb -D $NEW_DATA " \
        -e "/postgres -D $STANDBY " -e "/pg_basebackup -D $STANDBY " |
      while read -r pid _; do echo "$pid"; done
  fi
}

# Sends signal $1 and waits up to $2 tenths of a second for the end.
end_by() {
  left=$2
  pids=$(servers)
  [ -n "$pids" ] && kill -s "$1" $pids 2>/dev/null
  while [ "$left" -gt 0 ] && [ -n "$(servers)" ]; do
    sleep 0.1
    left=$((left - 1))
  done
}

# A fast shutdown, then an immediate one: both free the shared memory. SIGTERM would wait for
# clients, and SIGKILL leaves shared memory behind, so it comes last, and well after the five
# seconds that an immediate shutdown gives the server's children.
end_by INT 100
end_by QUIT 150
end_by KILL 20

if [ -n "$CONTAINER" ] && command -v docker >/dev/null 2>&1; then
  docker rm --force --volumes "$CONTAINER" >/dev/null 2>&1
fi

# A killed initdb has left the memory of its server, or a server that still works in the directory:
# the next sweep frees it and removes both.
[ -e "$NEW_DATA/postmaster.pid" ] && exit 0
rm -rf -- "$NEW_DATA" 2>/dev/null
# A pid file that is still there means that the server was killed. Its shared memory is freed by
# another start on the same directory; the next sweep does that.
[ -e "$DATA/postmaster.pid" ] && exit 0
[ -e "$STANDBY/postmaster.pid" ] && exit 0
cd "$RUN_DIRECTORY" 2>/dev/null || exit 0
rm -rf -- data standby standby.log socket server.log owner.json guardian 2>/dev/null
rm -f -- lock 2>/dev/null
cd / && rmdir -- "$RUN_DIRECTORY" 2>/dev/null
exit 0
