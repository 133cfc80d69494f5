#!/bin/bash
# Our git hooks in real repositories, beside the hook managers that these use: nothing of theirs is disturbed, and what must
# not go does not go. Each repository is cloned, its manager installs its hooks, then ours come, judge, and go again.
#
#   scripts/neighbours.sh                  all of them
#   scripts/neighbours.sh husky prek       these
#
# Needs git-orchestrate and the managers in PATH: husky, lefthook, simple-git-hooks (npm), pre-commit, prek (pip), git-lfs.
# FROM is where repositories are cloned from, https://github.com unless it is set: <FROM>/<owner>/<name>.
# What the managers are configured to start (pnpm, make, commitlint …) is played by a program that writes down its words;
# the managers, their hooks and their settings are real.
set -euo pipefail
# What a person or another git has set must not decide here.
while IFS='=' read -r name _; do
    case "$name" in GIT_*) unset "$name" ;; esac
done < <(env)

from="${FROM:-https://github.com}"
scratch="$(mktemp -d "${TMPDIR:-/tmp}/neighbours of mine.XXXXXX")"
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/stubs" "$scratch/home"
export HOME="$scratch/home" XDG_CONFIG_HOME="$scratch/home/.config" XDG_DATA_HOME="$scratch/home/.local/share"
export XDG_CACHE_HOME="$scratch/home/.cache" GIT_CONFIG_NOSYSTEM=1 TOLD="$scratch/told" REFUSE="$scratch/refuse"
git config --global user.name Tess
git config --global user.email tess@example.com
git config --global init.defaultBranch main
[ "$from" = https://github.com ] || git config --global "url.$from/.insteadOf" https://github.com/

# Plays a program that a manager starts.
cat >"$scratch/stubs/told" <<'STUB'
#!/bin/sh
name="${0##*/}"
if [ "$name" = node ]; then
    case "${1-}" in
    bin/lint-staged.js | scripts/verify-commit.js) ;;
    *) PATH="${PATH#*:}" exec node "$@" ;;
    esac
fi
printf '%s %s\n' "$name" "$*" >>"$TOLD"
[ ! -e "$REFUSE" ] || { echo "$name refuses" >&2; exit 1; }
STUB
chmod +x "$scratch/stubs/told"
for name in node pnpm commitlint changeset make typos lychee brew golangci-lint; do
    ln -s told "$scratch/stubs/$name"
done

say() { printf '  %s\n' "$*"; }
fail() {
    printf '  FAILED: %s\n' "$*"
    [ ! -s "$scratch/said" ] || sed 's/^/    /' "$scratch/said"
    failed=$((failed + 1))
}
# git as a person starts it.
plain() { PATH="$scratch/stubs:$PATH" git -C "$clone" "$@" >"$scratch/said" 2>&1 </dev/null; }
ours() { git -C "$at" orchestrate "$@" >"$scratch/said" 2>&1; }
# Every file below a directory, with its bytes, mode and kind.
bytes() {
    (cd "$1" && find . \( -type f -exec sha256sum {} + \) , -printf '%p %y %m %l\n' | sort)
}
tree() { (cd "$clone" && find . -path ./.git -prune -o \( -type f -exec sha256sum {} + \) , -printf '%p %y %m %l\n' | sort); }
same() { cmp -s "$1" "$2" || { diff "$1" "$2" >"$scratch/said" || true; fail "$3"; }; }

# A commit and a push as the project's own people make them; what the hooks started is in $TOLD, without what is new each time.
work() {
    local name="$1"
    rm -f "$TOLD"
    printf 'words of %s\n' "$name" >"$clone/$file"
    plain add "$file" || return 1
    plain commit -m "fix: say $name" || return 1
    plain push other "HEAD:refs/heads/$name" || return 1
    touch "$TOLD"
    # Several are started side by side.
    sed -i -E "s/$name|[0-9a-f]{40}//g" "$TOLD"
    sort -o "$TOLD" "$TOLD"
}

neighbour() {
    local manager="$1" repository="$2"
    file="$3"
    printf '%s, with %s\n' "$repository" "$manager"
    clone="$scratch/$manager"
    git clone -q "$from/$repository" "$clone" || { fail "no clone"; return; }
    git -C "$clone" checkout -q -B main
    git clone -q --bare "$from/$repository" "$scratch/$manager.git"
    git -C "$clone" remote add other "$scratch/$manager.git"
    git -C "$clone" fetch -q other
    (cd "$clone" && "install_${manager//-/_}") >"$scratch/said" 2>&1 || { fail "it does not install its hooks"; return; }
    work before || { fail "their own way does not go"; return; }
    cp "$TOLD" "$scratch/before"
    touch "$REFUSE"
    if refused_by_theirs; then has_refusal=yes; else has_refusal=no; fi
    rm -f "$REFUSE"
    plain reset -q --hard
    git -C "$clone" worktree add -q "$scratch/$manager linked" -b linked
    at="$clone"
    for method in '' files chain; do
        beside "$method"
    done
    truth
}

# Installs ours, the best way or another.
install() { ours hooks install --pre-commit ${method:+--method "$method"}; }

# Something that a hook of theirs refuses.
refused_by_theirs() {
    printf 'bad \n\n\n' >"$clone/$file"
    plain add "$file"
    if plain commit -m 'fix: nothing good'; then return 1; fi
}

beside() {
    local before="$failed" how="${1:-as is best}"
    git -C "$clone" status >"$scratch/said"
    bytes "$clone/.git" >"$scratch/git.before"
    tree >"$scratch/tree.before"
    git -C "$clone" status --porcelain >"$scratch/status.before"
    install || { fail "$how: ours are not installed"; return; }
    git -C "$clone" status --porcelain >"$scratch/status.after"
    same "$scratch/status.before" "$scratch/status.after" "$how: a file of the project was changed"
    ours hooks status || fail "$how: status says that they do not hold"
    # husky itself is off there, and so is what stands in its files.
    if [ "$1 ${clone##*/}" != 'files husky' ]; then
        at="$scratch/${clone##*/} linked"
        ours hooks status || fail "$how: status says that they do not hold in a linked worktree"
        at="$clone"
    fi
    ours hooks uninstall || fail "$how: ours do not go"
    bytes "$clone/.git" >"$scratch/git.after"
    same "$scratch/git.before" "$scratch/git.after" "$how: the git directory is not as it was"
    tree >"$scratch/tree.after"
    same "$scratch/tree.before" "$scratch/tree.after" "$how: the checkout is not as it was"

    bytes_of_hooks >"$scratch/hooks.before"
    install || fail "$how: ours are not installed again"
    work "with-${1:-best}" || fail "$how: a good commit and push do not go"
    same "$scratch/before" "$TOLD" "$how: their hooks do not start what they started"
    plain commit --allow-empty -m "$(printf 'fix: x\n\nOrchestrate-Task: api')" && fail "$how: a forged message was committed"
    plain push other HEAD:refs/heads/orchestrate/task/api && fail "$how: a bad push went through"
    grep -q 'is no step of it' "$scratch/said" || fail "$how: the bad push was not refused by us"
    git -C "$scratch/${clone##*/}.git" rev-parse -q --verify refs/heads/orchestrate/task/api >"$scratch/said" && fail "$how: it arrived"
    if [ "$has_refusal" = yes ]; then
        touch "$REFUSE"
        refused_by_theirs || fail "$how: theirs refuse no more"
        rm -f "$REFUSE"
        plain reset -q --hard
    fi
    ours hooks uninstall || fail "$how: ours do not go"
    bytes_of_hooks >"$scratch/hooks.after"
    same "$scratch/hooks.before" "$scratch/hooks.after" "$how: their hooks are not as they were"
    [ "$failed" != "$before" ] || say "$how: theirs run as before, ours refuse, and nothing is left of ours"
}

bytes_of_hooks() {
    local dir
    dir="$(git -C "$clone" rev-parse --path-format=absolute --git-path hooks)"
    bytes "$dir"
    sha256sum "$clone/.git/config"
}

# They install theirs once more over ours: whatever comes of it, status says what is so.
truth() {
    local method=''
    install || { fail "ours are not installed"; return; }
    bytes_of_hooks >"$scratch/hooks.before"
    local holds=yes gone=no over=yes
    (cd "$clone" && "install_${manager//-/_}") >"$scratch/said" 2>&1 || over=no
    if [ "$over" = no ]; then
        # git-lfs takes no file that is not word for word its own.
        bytes_of_hooks >"$scratch/hooks.after"
        same "$scratch/hooks.before" "$scratch/hooks.after" "it does not install its hooks over ours, and changes something"
    fi
    ours hooks status || holds=no
    plain push other HEAD:refs/heads/orchestrate/task/api || gone=yes
    [ "$holds" = "$gone" ] || fail "status says '$holds', but a bad push refused is '$gone'"
    plain push -q --no-verify other :refs/heads/orchestrate/task/api || true
    install || fail "ours do not come back"
    ours hooks status || fail "ours do not hold after they came back"
    ours hooks uninstall || fail "ours do not go"
    work after || fail "their own way does not go any more"
    same "$scratch/before" "$TOLD" "their hooks do not start what they started"
    case "$over $holds" in
    "no yes") say "it does not write over ours, and says so; ours and theirs stay" ;;
    "yes yes") say "installed anew over ours, ours stay" ;;
    *) say "installed anew over ours, ours are gone: status says so, and install puts them back" ;;
    esac
}

install_husky() { husky; }
install_lefthook() { lefthook install; }
install_pre_commit() { pre-commit install; }
install_prek() { prek install; }
install_simple_git_hooks() { simple-git-hooks; }
install_git_lfs() { git lfs install --local; }

failed=0
wanted="${*:-husky lefthook simple-git-hooks pre-commit prek git-lfs}"
for name in $wanted; do
    case "$name" in
    husky) neighbour husky lint-staged/lint-staged neighbour.js ;;
    lefthook) neighbour lefthook evilmartians/lefthook neighbour.md ;;
    simple-git-hooks) neighbour simple-git-hooks vuejs/core neighbour.js ;;
    pre-commit) neighbour pre-commit pallets/flask neighbour.md ;;
    prek) neighbour prek pallets/flask neighbour.md ;;
    git-lfs) neighbour git-lfs git-lfs/git-lfs neighbour.md ;;
    *)
        printf "fatal: '%s' is no hook manager that is tried here\nhint: scripts/neighbours.sh husky lefthook simple-git-hooks pre-commit prek git-lfs\n" "$name" >&2
        exit 129
        ;;
    esac
done
[ "$failed" = 0 ] || { printf '%s failed\n' "$failed"; exit 1; }
