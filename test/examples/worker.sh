#!/bin/sh
# A worker in POSIX shell, with nothing but the shell's own words and mv, tr and sleep:
#
#   tanist run --workers 2 -- sh worker.sh SPOOL
#
# Every SPOOL/name.job becomes SPOOL/name.done, in capital letters and with the generation that did it. Several
# workers share the directory: who renames a job first has it. That of a worker that was killed stays name.job.PID.
set -u
: "${TANIST_CHANNEL_FD:?start me with: tanist run -- sh worker.sh SPOOL}"
spool=${1:?which directory holds the jobs?}

leaving=
# Until it may serve it has nothing in hand.
trap 'exit 0' TERM INT QUIT
# A supervisor that has gone is noticed by what is said to it, or by the end of what it says.
trap '' USR2 PIPE

say() { printf '%s\n' "$1" >&"$TANIST_CHANNEL_FD"; }
hear() { IFS= read -r heard <&"$TANIST_CHANNEL_FD"; }
# In the background, since a signal interrupts wait at once, but waits for the end of a command.
pause() { sleep 1 & wait $!; }

work() {
    claimed="$1.$$"
    mv "$1" "$claimed" 2>/dev/null || return 0 # Another worker was first.
    done="${1%.job}.done"
    { tr '[:lower:]' '[:upper:]' <"$claimed" && echo "$TANIST_GENERATION"; } >"$claimed.new"
    mv "$claimed.new" "$done" && rm "$claimed"
}

# ... here a real program would initialise ...

say takeover
heard=
until [ "$heard" = ok ]; do
    hear || exit 0
done
# A job that is being done is finished first.
trap 'leaving=1' TERM INT QUIT
while [ -z "$leaving" ]; do
    for job in "$spool"/*.job; do
        [ -n "$leaving" ] || [ ! -e "$job" ] || work "$job"
    done
    # Also a busy worker says that it is well, and hears that its supervisor is.
    say ping && hear || exit 0
    [ -n "$leaving" ] || pause
done
echo "worker $$ has finished what it had in hand"
