#!/bin/sh
# The tests that try many cases: simulated runs, generated merges, crashes at many moments, and all forgeries before both
# verifiers.
#
#   scripts/sweep.sh short    a minute or so, for each change
#   scripts/sweep.sh          hours, before a release
#   scripts/sweep.sh 5000     that many cases of each
#
# Such a test is tests/<name>.rs or tests/<name>/main.rs, and reads <NAME>_SEEDS, the number of cases to try. It prints
# the seed of one that fails together with the command that repeats it.
set -eu
cd "$(dirname "$0")/.."

case "${1:-long}" in
    short) cases=2000 ;;
    long) cases=500000 ;;
    *[!0-9]*) printf "fatal: '%s' is no number of cases\nhint: scripts/sweep.sh [short|long|CASES]\n" "$1" >&2; exit 129 ;;
    *) cases=$1 ;;
esac

swept=0
for name in sim git crash attacks; do
    if [ ! -e "tests/$name.rs" ] && [ ! -e "tests/$name/main.rs" ]; then
        continue
    fi
    variable="$(printf %s "$name" | tr '[:lower:]' '[:upper:]')_SEEDS"
    count=$cases
    # A crash starts and kills real processes: each takes as long as hundreds of simulated runs. There are some 1,500 cases.
    [ "$name" = git ] && count=$(((cases + 1) / 2))
    [ "$name" = crash ] && count=$(((cases + 19) / 20))
    printf '$ %s=%s cargo test --locked --test %s\n' "$variable" "$count" "$name"
    env "$variable=$count" cargo test --locked --test "$name"
    swept=$((swept + 1))
done
printf '%s swept\n' "$swept"
