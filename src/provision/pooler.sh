# Runs a pooler for as long as the process that started this lives: its end, however it comes, is
# the end of standard input. The pooler is a child of this script, so its pid is nobody else's.
trap '' HUP INT QUIT TERM

# The lock of the run directory, which is standard output here, is not for the pooler to keep.
if [ -n "$RUN_AS" ]; then
  "$PROGRAM" -q -u "$RUN_AS" "$RUN_DIRECTORY/pooler.ini" </dev/null >/dev/null 2>&1 &
else
  "$PROGRAM" -q "$RUN_DIRECTORY/pooler.ini" </dev/null >/dev/null 2>&1 &
fi
pooler=$!

read -r word
kill -s KILL "$pooler" 2>/dev/null
wait "$pooler" 2>/dev/null

cd "$RUN_DIRECTORY" 2>/dev/null || exit 0
rm -rf -- socket pooler.ini users.txt pooler.log guardian 2>/dev/null
rm -f -- lock 2>/dev/null
cd / && rmdir -- "$RUN_DIRECTORY" 2>/dev/null
exit 0
