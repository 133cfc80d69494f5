#!/bin/sh
# The man pages and completions of the command line, made of the command line itself.
#   scripts/man.sh                    writes man/ and completions/ of this repository anew
#   scripts/man.sh check              says whether they are fresh
#   scripts/man.sh install [PREFIX]   puts them where man, bash, zsh and fish look (default: ~/.local)
set -eu
cd "$(dirname "$0")/.."

case "${1:-write}" in
write)
    cargo run --quiet --locked --example man -- .
    ;;
check)
    fresh="$(mktemp -d)"
    trap 'rm -rf "$fresh"' EXIT
    cargo run --quiet --locked --example man -- "$fresh"
    for directory in man completions; do
        diff -r "$directory" "$fresh/$directory" || {
            printf "fatal: '%s/' is not fresh\nhint: scripts/man.sh\n" "$directory" >&2
            exit 1
        }
    done
    ;;
install)
    prefix="${2:-$HOME/.local}"
    mkdir -p "$prefix/share/man/man1" "$prefix/share/bash-completion/completions" \
        "$prefix/share/zsh/site-functions" "$prefix/share/fish/vendor_completions.d"
    cp man/*.1 "$prefix/share/man/man1/"
    cp completions/git-orchestrate "$prefix/share/bash-completion/completions/"
    cp completions/_git-orchestrate "$prefix/share/zsh/site-functions/"
    cp completions/git-orchestrate.fish "$prefix/share/fish/vendor_completions.d/"
    ;;
*)
    printf "fatal: unknown word '%s'\nhint: scripts/man.sh [write|check|install [PREFIX]]\n" "$1" >&2
    exit 129
    ;;
esac
