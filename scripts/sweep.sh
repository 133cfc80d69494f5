#!/bin/sh
# The tests that try many cases: crashes at each point, and simulated runs from many seeds.
#
#   scripts/sweep.sh short    a minute or so, for each change
#   scripts/sweep.sh          hours, before a release
#   scripts/sweep.sh 5000     that many seeds
#
# A test that sweeps reads ORCHESTRATE_SWEEP, the number of cases to try, and prints the seed of one that fails
# together with the command that repeats it. Its name in tests/ is listed here.
set -eu
cd "$(dirname "$0")/.."

case "${1:-long}" in
    short) cases=50 ;;
    long) cases=20000 ;;
    *[!0-9]*|'') echo "usage: scripts/sweep.sh [short|long|CASES]" >&2; exit 129 ;;
    *) cases=$1 ;;
esac

swept=0
for name in crash sim; do
    if [ -e "tests/$name.rs" ] || [ -e "tests/$name/main.rs" ]; then
        printf '$ ORCHESTRATE_SWEEP=%s cargo test --locked --test %s\n' "$cases" "$name"
        ORCHESTRATE_SWEEP=$cases cargo test --locked --test "$name"
        swept=$((swept + 1))
    fi
done
printf '%s tests swept, %s cases each\n' "$swept" "$cases"
