#!/bin/sh
# Draws docs/demo.svg: runs the demo, records what it prints with its colours, and turns that into a picture.
#
#   scripts/picture.sh             runs the demo of this source
#   scripts/picture.sh RECORDING   draws what was recorded before
#
# Needs python3 (nothing beside its standard library), git and cargo. Times and commit ids differ from run to run, so
# the picture does too; draw it when what the demo shows has changed.
set -eu
cd "$(dirname "$0")/.."

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
recording="$work/recording"
if [ $# -gt 0 ]; then
    cp "$1" "$recording"
else
    cargo build --locked
    program="$(pwd)/target/debug/git-orchestrate"
    # A short name for the place, whatever the machine calls it.
    (cd "$work" && PATH="$(dirname "$program"):$PATH" "$program" demo --color always --dir "$work/timesheet") |
        sed "s|$work|~|g" > "$recording"
fi
# Of the log the first task is enough.
awk '
    /\$ git orchestrate log/ { log_part = 1 }
    /\$ git -c/ { if (left_out) print ""; log_part = 0; left_out = 0 }
    log_part && /^$/ { if (!left_out) print "\n…"; left_out = 1 }
    !left_out { print }
' "$recording" > "$recording.short"
python3 scripts/picture.py "$recording.short" docs/demo.svg
