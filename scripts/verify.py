#!/usr/bin/env python3
"""The second verifier: judges what git-orchestrate recorded, and shares no code with it.

    python3 scripts/verify.py [-C DIR] [--strict] [--allowed-signers FILE] [FROM..TO | TASK | REVISION]

It needs Python 3.11, git 2.38 and ssh-keygen, and nothing else. Objects are read and hashed here, one by one, in an empty
repository that borrows them, so that no setting, replacement, graft or shallow boundary of the other has a say. Without
--allowed-signers the keys are those of `.handoff/allowed_signers` as of FROM, else of HEAD, else of what is judged.

Each line of output is one finding: the rule, the commit, what is wrong, where; lines with `#` are remarks.
Exit code: 0 nothing is wrong, 1 something is, 4 there is nothing by that name, 128 it could not begin.

What it leaves to `git orchestrate verify`: a landing that went wrong in a conflict, and code of two tracks put together.
"""
import argparse, hashlib, json, math, os, re, subprocess, sys, tempfile, tomllib
from copy import deepcopy
from pathlib import Path

TASK, PHASE = r"(?!(?i:con|prn|aux|nul|land)(\.|$))[A-Za-z0-9](?!.*\.\.)[A-Za-z0-9._-]{0,63}(?<!\.)(?<!\.lock)", \
    r"[a-z][a-z0-9-]{0,39}(/[A-Za-z0-9-]{1,16})?"
TASKS, HANDOFF = "refs/heads/orchestrate/task/", ".handoff"
CONFIG, SIGNERS = ".handoff/config.toml", ".handoff/allowed_signers"
STATES = (".handoff/checkpoints", ".handoff/steps", ".handoff/landings")
ONTO = ".handoff/landings/land.json"  # of a merge into a person's branch; no task can have that name
PLAIN, LINK, TREE, SUBMODULE = 0o100644, 0o120000, 0o40000, 0o160000
SCHEMA, DEFINITION, DEPTH_MAX, SIZE_MAX, FEEDBACK_MAX = 1, 2, 128, 32 << 20, 8
PROTECTED = [
    ".github/{workflows,actions}/**", ".gitlab-ci.yml", ".circleci/**", ".buildkite/**",
    "{Jenkinsfile,azure-pipelines.yml,.travis.yml}", "{.pre-commit-config.yaml,lefthook.yml,lefthook.yaml,hk.pkl}",
    "{.husky,.githooks}/**", "**/{.gitmodules,.gitattributes}", "**/{.claude,.codex,.gemini,.cursor,.opencode}/**",
    "**/{CLAUDE,AGENTS,GEMINI}.md", "**/{.mcp.json,opencode.json,.envrc}", "{.vscode,.idea}/**"]
PROTECTED_TESTS = ["**/{tests,test,__tests__,spec}/**", "**/{test_*.py,*_test.*,*.test.*,*.spec.*}"]


class Wrong(Exception):
    """Something is not as it must be: the rule that it breaks, and what."""


def must(holds, rule, what):
    if not holds:
        raise Wrong(rule, what)


def digest(data):
    return "sha256:" + hashlib.sha256(data if isinstance(data, bytes) else data.encode()).hexdigest()


# -- objects: a commit, a tree, a file, each only if it has the name that it was asked for by

class Repository:
    def __init__(self, place):
        self.place = place
        self.common = Path(self.git("rev-parse", "--path-format=absolute", "--git-common-dir"))
        self.algorithm = self.git("rev-parse", "--show-object-format")
        self.empty = tempfile.TemporaryDirectory(prefix="verify-")
        own = ["git", "--git-dir", self.empty.name]
        self.env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
                    "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(self.common / "objects"), "GIT_NO_LAZY_FETCH": "1",
                    **{f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}}
        self.run(["git", "init", "-q", "--bare", "--template=", "--object-format", self.algorithm, self.empty.name])
        self.reader = subprocess.Popen(own + ["cat-file", "--batch"], env=self.env, stdin=-1, stdout=-1)
        self.own, self.cache = own, {}

    def git(self, *words):  # in the other repository: only where its refs are
        done = subprocess.run(["git", "-C", self.place, "-c", "core.fsmonitor=false", *words], capture_output=True)
        if done.returncode:
            raise LookupError(done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="replace").strip()

    def run(self, words, data=b""):
        done = subprocess.run(words, env=self.env, input=data, capture_output=True)
        return done.returncode, done.stdout

    def read(self, name, kind):
        if name in self.cache:
            return self.cache[name]
        self.reader.stdin.write(name.encode() + b"\n")
        self.reader.stdin.flush()
        head = self.reader.stdout.readline().split()
        if len(head) != 3:
            shallow = self.common / "shallow"
            cut_off = shallow.exists() and shallow.read_text().strip()
            raise Wrong("history" if cut_off else "object", f"{kind} '{name}' is not in this repository")
        data = self.reader.stdout.read(int(head[2]) + 1)[:-1]
        named = hashlib.new(self.algorithm, head[1] + b" %d\0" % len(data) + data).hexdigest()
        must(named == name and head[1] == kind.encode(), "object", f"'{name}' is not the {kind} that its name stands for")
        if kind != "blob":
            self.cache[name] = data
        return data

    def commit(self, name):
        return Commit(name, self.read(name, "commit"))

    def tree(self, name):
        data, at, found, last = self.read(name, "tree"), 0, {}, b""
        while at < len(data):
            space, zero = data.index(b" ", at), data.index(b"\0", at)
            mode, entry = int(data[at:space], 8), data[space + 1:zero].decode(errors="surrogateescape")
            at = zero + 1 + len(name) // 2
            key = data[space + 1:zero] + (b"/" if mode == TREE else b"\0")
            must(entry not in found and key > last and "/" not in entry and entry not in ("", ".", ".."),
                 "object", f"tree '{name}' is not well made")
            found[entry], last = (mode, data[zero + 1:at].hex()), key
        return found

    def entry(self, root, path):
        parts = path.split("/")
        for at, part in enumerate(parts):
            found = self.tree(root).get(part)
            if not found or at < len(parts) - 1 and found[0] != TREE:
                return None
            root = found[1]
        return found

    def file(self, root, path):
        found = self.entry(root, path)
        return self.read(found[1], "blob") if found and found[0] == PLAIN else None

    def code(self, root):
        """The name that the tree would have without .handoff/; it is written where merge-tree finds it."""
        rest = b"".join(b"%o %s\0%s" % (mode, name.encode(errors="surrogateescape"), bytes.fromhex(oid))
                        for name, (mode, oid) in self.tree(root).items() if name != HANDOFF)
        return hashlib.new(self.algorithm, b"tree %d\0" % len(rest) + rest).hexdigest(), rest

    def diff(self, before, after, below="", part=None):
        """(path, kind, mode after) of files that differ; a rename is one removed and one added."""
        if before == after:
            return
        one, two = (self.tree(root) if root else {} for root in (before, after))
        for name in sorted(one.keys() | two.keys()):
            old, new = one.get(name), two.get(name)
            if old == new or not below and part is not None and (name == HANDOFF) != (part == HANDOFF):
                continue
            files = [side if side and side[0] != TREE else None for side in (old, new)]
            if files != [None, None]:
                kind = "modified" if all(files) else "removed" if files[0] else "added"
                yield below + name, kind, files[1] and files[1][0]
            trees = [side[1] if side and side[0] == TREE else None for side in (old, new)]
            if trees != [None, None]:
                yield from self.diff(*trees, f"{below}{name}/")

    def merge(self, base, ours, theirs):
        """The code that comes of two changes of one base; none if they are in each other's way."""
        def commit(root, *parents):
            tree = self.run(self.own + ["hash-object", "-w", "-t", "tree", "--stdin"], self.code(root)[1])[1].decode().strip()
            words = [word for parent in parents for word in ("-p", parent)]
            return self.run(self.own + ["commit-tree", "-m", "x", tree, *words])[1].decode().strip()
        base = commit(base)
        code, out = self.run(self.own + ["merge-tree", "--write-tree", commit(ours, base), commit(theirs, base)])
        return out.decode().split("\n")[0] if code == 0 else None


class Commit:
    def __init__(self, name, data):
        head, found, message = data.partition(b"\n\n")
        must(found, "object", "it has no message")
        self.name, self.data, self.message = name, data, message.decode(errors="replace")
        self.headers = [(key, value) for key, _, value in
                        (line.partition(" ") for line in head.decode(errors="replace").split("\n")) if key]
        one = lambda key: [value for name, value in self.headers if name == key]
        must(len(one("tree")) == len(one("author")) == len(one("committer")) == 1, "object", "it is not well made")
        self.tree, self.parents = one("tree")[0], one("parent")
        people = [re.match(r"(.*?)\s*<([^>]*)>", one(key)[0]) for key in ("author", "committer")]
        must(all(people), "object", "it is not well made")
        self.author, self.committer = (person.groups() for person in people)
        # The last paragraph, if it is not the first; for git a line of blanks parts paragraphs too.
        text = self.message.rstrip("\n").split("\n")
        end = max((at for at, line in enumerate(text) if line.strip()), default=0)
        blank = next((at for at in range(end, 0, -1) if not text[at].strip()), 0)
        body, self.block = "\n".join(text[:blank or None]), "\n".join(text[blank + 1:]) if blank else ""
        lines = (re.fullmatch(r"([A-Za-z0-9-]+)\s*:(.*)", line, re.S) for line in self.block.split("\n"))
        self.trailers = [(line[1], line[2].strip()) for line in lines if line]
        self.strays = any(line.lower().startswith("orchestrate-") for line in body.split("\n"))
        self.kind, self.task, self.step, self.phase = self.claim()

    def claim(self):
        of = lambda key: [value for name, value in self.trailers if name.lower() == key]
        tasks, steps = of("orchestrate-task"), of("orchestrate-step")
        if not tasks and not steps:
            return "person", None, None, None
        step = re.fullmatch(r"([0-9]+) (.*)", steps[0]) if len(steps) == 1 else None
        if len(tasks) == 1 and re.fullmatch(TASK, tasks[0]) and steps == ["land"]:
            return "landing", tasks[0], None, None
        if len(tasks) == 1 and re.fullmatch(TASK, tasks[0]) and step and int(step[1]) and re.fullmatch(PHASE, step[2]):
            return "step", tasks[0], int(step[1]), step[2]
        return "garbled", None, None, None


def read_json(data):
    """JSON that means one thing."""
    def once(pairs):
        must(len(dict(pairs)) == len(pairs), "record", "its record has a key twice")
        return dict(pairs)

    def number(text):
        must(math.isfinite(float(text)), "record", "its record has a number that is none")
        return float(text)

    def depth(value):
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return 1 + max(map(depth, inner), default=0)
    must(len(data) <= SIZE_MAX, "record", "its record is too long")
    try:
        value = json.loads(data.decode(), object_pairs_hook=once, parse_float=number, parse_constant=number)
    except (ValueError, RecursionError) as error:
        raise Wrong("record", f"its record cannot be read: {error}")
    must(depth(value) <= DEPTH_MAX and value["schema"] <= SCHEMA, "record", "its record is of a version to come")
    return value


def read_toml(data):
    return tomllib.loads(data.decode())


# -- the fold: the state after a step, from the state before and its record

EVENTS = {  # event: {state before: state after}; what is not here cannot be
    "needs met": {"waiting": "ready", "ready": "ready"}, "started": {"ready": "running", "failed": "running"},
    "done": {"running": "passed"}, "sent back": {"running": "waiting"}, "failed": {"running": "failed"},
    "infra": {"running": "ready"}, "approved": {"held": "passed"}, "retried": {"failed": "ready", "held": "ready"},
    "stuck": {"waiting": "held", "ready": "held", "failed": "held", "running": "held"},
    "reopened": {"waiting": "waiting", "ready": "ready", "passed": "ready", "skipped": "ready", "failed": "ready", "held": "ready"},
    "reset": {"waiting": "waiting", "ready": "waiting", "passed": "waiting", "skipped": "skipped", "failed": "waiting", "held": "waiting"},
    "skipped over": {"waiting": "skipped", "ready": "skipped", "failed": "skipped", "held": "skipped"}}
OVER = ("passed", "skipped")


def span(text):
    """Milliseconds of 1h30m."""
    if not isinstance(text, str):
        return text
    size = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
    return sum(int(count) * size[unit] for count, unit in re.findall(r"(\d+)(ms|[smhd])", text))


def span_text(rest):
    text = ""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        text, rest = text + (f"{rest // size}{unit}" if rest >= size else ""), rest % size
    return text or "0s"


def micros(dollars):
    return round((dollars or 0) * 1e6)


def money_text(amount):
    if amount == 0 or amount >= 10_000:
        cents = (amount + 5_000) // 10_000
        return f"${cents // 100}.{cents % 100:02}"
    return "$0." + f"{amount:06}".rstrip("0")


def plain(value, key=""):
    """Without what says nothing, and every amount in one unit: equal states become equal values."""
    if isinstance(value, dict):
        pairs = ((key, plain(inner, key)) for key, inner in value.items())
        return {key: inner for key, inner in pairs if inner not in (0, "", [], {}, None) and (key, inner) != ("retry", "rollback")}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return span(value) if key == "timeout" else value


def first_line(text):
    return next((line.strip()[:200] for line in text.splitlines() if line.strip()), "")


class State:
    def __init__(self, said):
        self.said = deepcopy(said)
        self.phases = said = self.said["phase"]
        self.spent = self.said.setdefault("spent", {})
        self.bounds = self.said["bounds"]
        if "timeout" in self.bounds:
            self.bounds["timeout"] = span(self.bounds["timeout"])

    def phase(self, name):
        found = next((phase for phase in self.phases if phase["id"] == name), None)
        must(found is not None, "checkpoint", f"the task has no phase '{name}'")
        return found

    def spec(self, name):
        return next((spec for spec in self.said["workflow"]["phase"] if spec["id"] == name.split("/")[0]), None)

    def writes(self, name):
        spec = self.spec(name)
        return bool(spec and spec.get("role") and not spec.get("reviews") and not spec.get("produces"))

    def event(self, name, event):
        phase = self.phase(name)
        after = EVENTS[event].get(phase["state"])
        must(after, "checkpoint", f"phase '{name}' is {phase['state']} and cannot be {event}")
        phase["state"] = after

    def hold(self, name, why):
        self.event(name, "stuck")
        self.phase(name)["held"] = why

    def sibling(self, name, other):
        of_step = f"{other}/{name.split('/')[1]}" if "/" in name else other
        return of_step if any(phase["id"] == of_step for phase in self.phases) else other

    def finished(self):
        return not self.said.get("aborted") and all(p["id"] == "land" or p["state"] in OVER for p in self.phases)

    def apply(self, record):
        """The state after a step; raises Wrong where it cannot be one."""
        self.__init__(self.said)
        after = self.said
        must(record["task"] == after["task"], "checkpoint", "the record is of another task")
        must(record["seq"] == after.get("seq", 0) + 1, "checkpoint", f"step {record['seq']} cannot follow step {after.get('seq', 0)}")
        must("aborted" not in after, "checkpoint", "the task was aborted")
        after["seq"], actor, name = record["seq"], record["actor"]["kind"], record["phase"]
        self.spent["cost_usd"] = (micros(self.spent.get("cost_usd")) + micros(record.get("cost_usd"))) / 1e6
        self.spent["duration_ms"] = self.spent.get("duration_ms", 0) + record["duration_ms"]
        tokens = self.spent.setdefault("tokens", {})
        for kind, count in record.get("tokens", {}).items():
            tokens[kind] = tokens.get(kind, 0) + count
        phase = self.phase(name)
        phase["attempts"] = phase.get("attempts", 0) + (actor != "person")
        phase["step"] = record["seq"]
        phase["summary"] = record.get("summary") or phase.get("summary", "")
        if actor == "person":
            self.decide(name, phase, record)
        else:
            if actor != "land" and record.get("new_base"):
                must(self.begins_code(name), "checkpoint", f"phase '{name}' is done on another base than the task's code")
                after["base"] = record["new_base"]
            self.event(name, "started")
            (self.land if actor == "land" else self.end)(name, phase, record)
        self.settle()
        return self.said

    def able(self, phase, **values):
        phase.update({"infra": 0, "unable": [], **values})

    def heed(self, phase, text):
        if text.strip():
            phase["feedback"] = (phase.get("feedback", []) + [text])[-FEEDBACK_MAX:]

    def verdict(self, record, status):
        verdict = (record.get("document") or {}).get("verdict") or {}
        must(verdict.get("status") == status, "checkpoint", "its verdict is not what it ended with")
        changes = verdict.get("required_changes", [])
        must(all(change[key].strip() for change in changes for key in ("what", "where", "why")) and
             bool(changes) == (status == "needs_changes") or status == "rejected", "checkpoint", "its verdict contradicts itself")
        return verdict

    def end(self, name, phase, record):
        spec, outcome, reason = self.spec(name), record["outcome"], first_line(record.get("reason", ""))
        must(spec, "checkpoint", f"the workflow has no phase '{name}'")
        # Whoever was asked within the step has a part in it.
        families = {who.get("family") for who in (record["actor"], *record.get("calls", []))} - {None}
        if spec.get("reviews") and outcome != "infra":
            direct, of = self.sibling(name, spec["reviews"]), spec["reviews"]
            own = [p for p in self.phases if p["id"] == direct] or [p for p in self.phases if p["id"].split("/")[0] == of]
            authors = {author for phase in own for author in phase.get("authors", [])}
            must(families.isdisjoint(authors), "reviewer", f"phase '{name}' was reviewed by the family of its author")
        if outcome == "infra":
            self.infra(name, phase, record)
        elif outcome == "failed" and spec.get("gate"):
            target, rounds = spec.get("on_fail") and self.sibling(name, spec["on_fail"]), phase.get("rounds", 0) + 1
            self.able(phase, rounds=rounds)
            self.heed(phase, record.get("feedback", ""))
            if not target:
                self.hold(name, f"the gate refused: {reason}")
            elif rounds > spec.get("max_rounds", 3):
                self.hold(name, f"the gate refused {rounds} times: {reason}")
            else:
                self.send_back(name, phase, target, spec.get("retry", "rollback"), record)
        elif outcome == "failed":
            failures = phase.get("failures", 0) + 1
            self.able(phase, failures=failures)
            self.heed(phase, record.get("feedback", ""))
            if failures < self.bounds["attempts_max"]:
                self.event(name, "failed")
            else:
                self.hold(name, f"failed {failures} times: {reason}")
        elif outcome == "changes":
            must(spec.get("reviews"), "checkpoint", "it reviews nothing, and asks for changes")
            self.changes(name, phase, spec, record)
        elif outcome == "rejected":
            verdict = self.verdict(record, "rejected")
            changes = verdict.get("required_changes", [])
            phase["approved"] = False
            self.hold(name, f"rejected: {first_line(changes[0]['what'] if changes else verdict.get('summary', ''))}")
        else:
            must(outcome == "done", "record", "it ended as nothing ends")
            if spec.get("reviews"):
                self.verdict(record, "approved")
            elif spec.get("produces") == "plan":
                plan = (record.get("document") or {}).get("plan")
                must(plan and plan["steps"], "checkpoint", "it owed a plan")
                self.said["plan"] = plan
            self.event(name, "done")
            self.able(phase, failures=0, held="", feedback=[], approved=bool(spec.get("reviews")))
            phase["authors"] = sorted(families.union(phase.get("authors", [])))
            if self.writes(name):
                self.said["good"] = record["seq"]

    def infra(self, name, phase, record):
        phase["infra"] = times = phase.get("infra", 0) + 1
        if record["actor"]["kind"] == "agent":
            phase["unable"] = phase.get("unable", []) + [record["actor"]["name"]]
        if times < self.bounds["infra_max"]:
            return self.event(name, "infra")
        tried = sorted(set(phase.get("unable", [])))
        by = f" ({', '.join(tried)})" if len(tried) > 1 else ""
        self.hold(name, f"could not be done {times} times in a row{by}: {first_line(record.get('reason', ''))}")

    def changes(self, name, phase, spec, record):
        changes = self.verdict(record, "needs_changes")["required_changes"]
        words = lambda text: " ".join(text.split()).lower()
        lines = sorted(f"{words(change['where'])}\t{words(change['what'])}" for change in changes)
        author, plan = self.sibling(name, spec["reviews"]), self.said.get("plan")
        work = plan_text(plan) if plan and not self.writes(author) else record["code"]
        finding = {"changes": digest("\n".join(lines)), "subject": digest(work)}
        again, rounds, what = phase.get("finding") == finding, phase.get("rounds", 0) + 1, first_line(changes[0]["what"])
        self.able(phase, finding=finding, rounds=rounds, approved=False)
        if again:
            self.hold(name, f"the same finding twice with no change between: {what}")
        elif rounds > spec.get("max_rounds", 3):
            self.hold(name, f"sent back {rounds} times, still open: {what}")
        else:
            self.event(name, "sent back")
            self.reopen(author, "continue", record.get("feedback", ""))

    def send_back(self, name, phase, target, retry, record):
        self.event(name, "sent back")
        phase["feedback"] = []
        self.reopen(target, retry, record.get("feedback", ""))

    def last_writer(self):
        return next((p["id"] for p in reversed(self.phases) if p["state"] == "passed" and self.writes(p["id"])), None)

    def land(self, name, phase, record):
        if record["outcome"] == "infra":
            return self.infra(name, phase, record)
        must(record["outcome"] == "failed" and record.get("new_base"), "checkpoint", "a step of a landing tells only what went wrong")
        rounds = phase.get("rounds", 0) + 1
        self.able(phase, rounds=rounds)
        self.heed(phase, record.get("feedback", ""))
        self.said["base"], self.said["good"], writer = record["new_base"], record["seq"], self.last_writer()
        if writer and rounds <= self.bounds["land_rounds_max"]:
            self.send_back(name, phase, writer, "continue", record)
            self.phase(writer)["start"] = record["seq"]
        else:
            self.hold(name, f"could not land {rounds} times: {first_line(record.get('reason', ''))}")

    def decide(self, name, phase, record):
        decision, spec, spent = record.get("decision") or {}, self.spec(name) or {}, micros(self.spent["cost_usd"])
        budget, timeout = micros(self.bounds.get("budget_usd")), self.bounds.get("timeout")
        if "budget_usd" in self.bounds and spent >= budget:
            self.bounds["budget_usd"] = (spent + budget) / 1e6
        if timeout is not None and self.spent["duration_ms"] >= timeout:
            self.bounds["timeout"] = self.spent["duration_ms"] + timeout
        what = decision.get("decision")
        if what == "abort":
            self.said["aborted"] = decision.get("reason") or "by a person"
        elif what == "skip":
            must(name != "land", "checkpoint", "a landing cannot be skipped")
            self.event(name, "skipped over")
            phase["held"] = ""
        elif what == "approve":
            must(spec.get("reviews"), "checkpoint", "only the verdict of a review can be overruled")
            self.event(name, "approved")
            phase.update(approved=True, held="")
        else:
            must(what == "retry", "checkpoint", "it decides nothing")
            target = spec.get("reviews") or spec.get("on_fail")
            target = self.sibling(name, target) if target else None if spec else self.last_writer()
            outside, earlier = phase.get("infra", 0) > 0, phase.get("feedback", [])
            self.able(phase, failures=0, rounds=0, finding=None, held="", feedback=[])
            if target and not outside:
                self.event(name, "reset")
                self.reopen(target, "continue", "\n\n".join(text for text in earlier + [decision["feedback"]] if text))
            else:
                self.event(name, "retried")
                phase["feedback"] = earlier
                self.heed(phase, decision["feedback"])

    def reopen(self, name, retry, feedback):
        phase = self.phase(name)
        start = phase.get("start", 0)
        alone = all(p["id"] == name or not self.writes(p["id"]) or p.get("step", 0) <= start for p in self.phases)
        self.event(name, "reopened")
        self.able(phase, failures=0, held="")
        self.heed(phase, feedback)
        if retry == "rollback" and alone:
            phase["authors"], self.said["good"] = [], start
        for other in self.built_on(name):
            if self.phase(other)["state"] != "running":
                self.event(other, "reset")

    def built_on(self, name):
        found = [name]
        for at in found:
            found += [p["id"] for p in self.phases if at in p.get("needs", []) and p["id"] not in found]
        return found[1:]

    def begins_code(self, name):
        """Whether it writes the task's first code, whatever comes beside it."""
        others = [p for p in self.phases if self.writes(p["id"]) and p["id"] != name and p["state"] != "skipped"]
        return self.writes(name) and not self.said.get("good") and {p["id"] for p in others} <= set(self.built_on(name))

    def settle(self):
        """What needs no step: phases unfold, are passed over or become ready; limits hold them."""
        while True:
            self.unfold()
            over = {phase["id"] for phase in self.phases if phase["state"] in OVER}
            ready = [p for p in self.phases if p["state"] == "waiting" and over.issuperset(p.get("needs", []))]
            if not ready:
                break
            for phase in ready:
                self.event(phase["id"], "skipped over" if self.is_skipped(self.spec(phase["id"])) else "needs met")
                if not phase.get("authors"):
                    phase["start"] = self.said.get("good", 0)
        spent, budget = micros(self.spent.get("cost_usd")), self.bounds.get("budget_usd")
        timeout, why = self.bounds.get("timeout"), None
        if budget is not None and spent >= micros(budget):
            why = f"the task's budget of {money_text(micros(budget))} is used up: {money_text(spent)}"
        elif timeout is not None and self.spent.get("duration_ms", 0) >= timeout:
            why = f"the task's time of {span_text(timeout)} is used up"
        for phase in self.phases:
            if why and phase["id"] != "land" and phase["state"] in ("ready", "failed"):
                self.hold(phase["id"], why)

    def is_skipped(self, spec):
        when = (spec or {}).get("skip_when", {})
        labels, areas, results = (when.get(key, []) for key in ("labels", "areas", "results"))

        def ended(entry):
            name, how = (word.strip() for word in entry.split("="))
            own = [phase for phase in self.phases if phase["id"].split("/")[0] == name]
            return own and all(p["state"] == ("skipped" if how == "skipped" else "passed") and
                               (how != "approved" or p.get("approved")) for p in own)
        return bool(labels or areas or results) and (not labels or not set(labels).isdisjoint(self.said.get("labels", []))) \
            and (not areas or self.said.get("area") in areas) and (not results or any(map(ended, results)))

    def unfold(self):
        """Each `for_each` phase, and those that hang on it alone, once for each step of the plan."""
        specs, states = self.said["workflow"]["phase"], {phase["id"]: phase["state"] for phase in self.phases}
        first = next((spec["id"] for spec in specs if spec.get("for_each") and states.get(spec["id"]) == "waiting"
                      and all(states.get(need) in OVER for need in spec.get("needs", []))), None)
        if not first or not self.said.get("plan"):
            return
        group = {first}
        while more := [spec["id"] for spec in specs if spec["id"] not in group and spec.get("needs") and group.issuperset(spec["needs"])]:
            group.update(more)
        unfolded, ends = [], []
        for step in self.said["plan"]["steps"]:
            named, own = lambda name: f"{name}/{step['id']}", []
            for spec in (spec for spec in specs if spec["id"] in group):
                needs = [named(need) if need in group else need for need in spec.get("needs", [])]
                own.append({"id": named(spec["id"]), "state": "waiting",
                            "needs": needs + ([] if group.intersection(spec.get("needs", [])) else ends)})
            needed = {need for phase in own for need in phase["needs"]}
            ends = [phase["id"] for phase in own if phase["id"] not in needed]
            unfolded += own
        steps = [step["id"] for step in self.said["plan"]["steps"]]
        place = next(at for at, phase in enumerate(self.phases) if phase["id"] in group)
        rest = [[phase for phase in part if phase["id"] not in group] for part in (self.phases[:place], self.phases[place:])]
        for phase in rest[0] + rest[1]:
            phase["needs"] = [one for need in phase.get("needs", [])
                              for one in ([f"{need}/{step}" for step in steps] if need in group else [need])]
        self.phases[:] = rest[0] + unfolded + rest[1]


def plan_text(plan):
    """The plan as netstrings, of which the digest is taken."""
    string = lambda text: f"{len(text.encode())}:{text},"
    steps = ((string(step["id"]), string(step["title"]), string(step.get("detail", "")),
              *(string("".join(map(string, step.get(key, [])))) for key in ("files", "acceptance"))) for step in plan["steps"])
    return string(plan.get("summary", "")) + "".join(text for step in steps for text in step)


# -- globs, keys, gates

def glob(text):
    """A glob as a regular expression: `*` and `?` stay in a directory, `**` does not, `{a,b}` is either."""
    out, at, depth = "", 0, 0
    tokens = re.findall(r"\*\*/|/\*\*$|\*\*|.", text)
    for at, token in enumerate(tokens):
        depth += (token == "{") - (token == "}")
        out += {"**/": "(?:.*/)?", "/**": "/.+", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")",
                ",": "|" if depth else ","}.get(token, re.escape(token))
    return re.compile(out, re.I | re.S)


def is_in(globs, path):
    hits = lambda wanted: any(glob(g.lstrip("!")).fullmatch(path) for g in globs if g.startswith("!") == wanted)
    return hits(False) and not hits(True)


class Keys:
    def __init__(self, text, where):
        # Dates have no say: the dates of commits can be chosen by who makes them.
        text = re.sub(r'(?i),?valid-(after|before)="?[0-9Z]+"?(?=[,\s])', "", text)
        self.dir = tempfile.TemporaryDirectory(prefix="verify-keys-")
        self.signers, self.signature = Path(self.dir.name, "signers"), Path(self.dir.name, "signature")
        self.signers.write_text(re.sub(r"(?m)^(\s*\S+)\s+,(?=\S+=)", r"\1 ", text))
        self.where = where

    def judge(self, commit):
        head, _, message = commit.data.partition(b"\n\n")
        signature = re.findall(rb"(?m)^gpgsig(?:-sha256)? ((?:.*\n(?: .*\n)*))", head + b"\n")
        if not signature:
            raise Wrong("signature", "it is not signed")
        must(len(signature) == 1, "signature", "it has more than one signature")
        armored = signature[0].replace(b"\n ", b"\n")
        must(armored.startswith(b"-----BEGIN SSH SIGNATURE-----"), "signature", "its signature is of another program than ssh")
        payload = re.sub(rb"(?m)^gpgsig(?:-sha256)? (?:.*\n(?: .*\n)*)", b"", head + b"\n") + b"\n" + message
        self.signature.write_bytes(armored)

        def keygen(*words):
            return subprocess.run(["ssh-keygen", "-Y", *words, "-n", "git", "-s", self.signature], input=payload,
                                  capture_output=True).returncode == 0
        if not keygen("verify", "-f", self.signers, "-I", commit.committer[1]):
            must(keygen("check-novalidate"), "signature", "its signature does not fit its content")
            raise Wrong("signer", f"it is signed by a key that nobody trusts to sign for '{commit.committer[1]}'")


# What the check 'user-hooks' runs, which `[hooks] run_user_hooks` adds.
USER_HOOKS = r'''git read-tree "$GIT_ORCHESTRATE_TREE" || exit 126
if [ -n "$GIT_ORCHESTRATE_SPARSE" ]; then
    git ls-files -z --deleted | git update-index -z --skip-worktree --stdin || exit 126
fi
git update-index -q --refresh
git hook run --ignore-missing pre-commit || {
    code=$?
    [ "$code" != 125 ] || code=1
    exit "$code"
}
after=$(git write-tree) || exit 126
if [ "$after" != "$GIT_ORCHESTRATE_TREE" ]; then
    echo "the pre-commit hook changes what would be committed:"
    git diff --name-status "$GIT_ORCHESTRATE_TREE" "$after"
    exit 1
fi
[ -n "$GIT_ORCHESTRATE_MESSAGE" ] || exit 0
git hook run --ignore-missing commit-msg -- "$GIT_ORCHESTRATE_MESSAGE" || exit 125'''


def defined(config, verdict, text):
    """Whether the configuration says exactly what the verdict was given by."""
    name, said = verdict["profile"], json.loads(text)
    must(said[0] == DEFINITION, "definition", f"gate '{name}' was defined by another version")
    settings = read_toml(config)
    profile, limit = settings.get("gate", {}).get(name), settings.get("limits", {}).get("check_timeout", "30m")
    must(profile, "definition", f"the configuration has no gate '{name}'")
    rules = {rule: "block" for rule in ("tests", "tests_gone", "tests_skipped", "warnings", "coverage", "api")}
    rules = {**rules, "changed_coverage": "warn", "failed_before": "warn", **profile.get("rules", {})}
    checks = [{"timeout": limit, **check} for check in profile["check"]]
    if profile.get("api") and rules["api"] != "off":
        checks.append({"name": "api", "run": profile["api"], "timeout": limit})
    if settings.get("hooks", {}).get("run_user_hooks"):
        checks.append({"name": "user-hooks", "run": USER_HOOKS, "format": "none", "timeout": limit})
    must(plain(said) == plain([DEFINITION, name, checks, rules]), "definition",
         f"the verdict was given by another definition of gate '{name}' than the commit has")


def has_definition(verdict, text):
    must(text is not None, "definition", "the record does not say by which definition the gate judged")
    must(digest(text) == verdict["definition"], "definition", "the definition does not have the digest that the verdict names")


def covers(config, verdict, text):
    profile = config and read_toml(config).get("gate", {}).get(verdict["profile"])
    for check in (profile or {}).get("check", []):
        must(check["name"] in [done["name"] for done in verdict["checks"]] and
             json.dumps(check["run"], ensure_ascii=False) in text, "definition", f"it was judged without check '{check['name']}'")


# -- the judgement

class Judge:
    def __init__(self, repository, keys, policy):
        self.repository, self.keys, self.findings = repository, keys, []
        self.protected = policy.get("protected", PROTECTED)
        self.tests = policy.get("protected_tests", PROTECTED_TESTS)

    def say(self, rule, what, commit=None, task=None):
        self.findings.append((rule, commit, task, what))

    def check(self, commit, task, looks):
        """Goes through the looks at a commit; each that raises is a finding."""
        for look, *words in looks:
            try:
                look(*words)
            except Wrong as wrong:
                self.say(wrong.args[0], wrong.args[1], commit.name, task)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
                self.say("record", f"it cannot be understood: {type(error).__name__} {error}", commit.name, task)

    def made(self, commit):
        self.keys.judge(commit)
        odd = {key for key, _ in commit.headers} - {"tree", "parent", "author", "committer", "gpgsig", "gpgsig-sha256"}
        must(not odd, "object", f"it has a header that no commit of ours has: {', '.join(sorted(odd))}")

    # A task's line of steps, from the first to this one.
    def chain(self, tip):
        line, at = [], tip
        while at.kind == "step" and at.task == tip.task:
            line.insert(0, at)
            if not at.parents:
                return Chain(line, None)
            at = self.repository.commit(at.parents[0])
            if line[0].step == 1:
                break
        return Chain(line, at)

    def judge_chain(self, chain):
        task, first = chain.task, chain.line[0]
        base = chain.before
        if first.step > 1 or not base:
            self.say("chain", f"it does not begin with step 1 of '{task}'", first.name, task)
        elif base.kind == "step" and base.task == task:
            self.say("order", f"step 1 stands on step {base.step} of the same task", first.name, task)
        for before, commit in zip(chain.line, chain.line[1:]):
            if commit.step != before.step + 1:
                self.say("order", f"step {commit.step} stands on step {before.step}", commit.name, task)
        told, before = [], base
        for commit in chain.line:
            step = Step(self, chain, commit, before)
            self.check(commit, task, [(self.made, commit), (step.parents,), (step.files,), (step.read,)])
            if step.record is not None:
                self.check(commit, task, [(step.fits,), (step.trailers,), (step.code,), (step.state,), (step.verdict,), (step.actor,)])
                told.append(step)
            before = commit
        self.check(chain.line[-1], task, [(self.reviewers, chain, told), (self.policy, chain, told)])

    def reviewers(self, chain, told):
        authors = {}
        for step in told:
            record, subject = step.record, step.subject
            if subject and record["outcome"] != "infra":
                for phase, author in authors.items():
                    if phase == subject or "/" not in subject and phase.split("/")[0] == subject:
                        same = lambda one, two: one is not None and one == two
                        models = [{who.get("model") for who in (side["actor"], *side.get("calls", []))} - {None} for side in (record, author)]
                        if same(record.get("session"), author.get("session")) or models[0] & models[1]:
                            self.say("reviewer", f"it was reviewed by who wrote step {author['seq']}", step.commit.name, chain.task)
            if record["actor"]["kind"] == "agent" and not subject and record["outcome"] == "done":
                authors[record["phase"]] = record

    def policy(self, chain, told):
        state = told and told[-1].after
        good = state and chain.at(state.get("good", 0))
        if not good:
            return
        task = self.task(chain.line[-1].tree, chain.task) or {}
        base = self.repository.commit(state["base"])
        for path, kind, _ in self.repository.diff(base.tree, good.tree, part="code"):
            if not is_in(self.protected, path) and not (is_in(self.tests, path) and kind != "added"):
                continue
            if any(is_in([own, own.rstrip("/") + "/**"], path) for own in task.get("files", [])):
                continue
            by = next((step for step in reversed(told) if path in step.wrote), told[-1])
            approvals = [s for s in told if (s.record.get("decision") or {}).get("decision") == "approve"]
            if not any(approval.record["seq"] > by.record["seq"] for approval in approvals):
                self.say("protected", f"it changes a protected file: {path}", by.commit.name, chain.task)

    def task(self, root, name):
        text = self.repository.file(root, f".handoff/tasks/{name}.toml")
        if text is None:
            page = (self.repository.file(root, f".handoff/tasks/{name}.md") or b"").decode()
            front = re.match(r"\ufeff?\+\+\+\s*\n(.*?)^\+\+\+\s*$", page, re.S | re.M)
            return tomllib.loads(front[1]) if front else {} if page else None
        return read_toml(text)

    def states_unchanged(self, commit, own=()):
        """States and records come from steps and landings alone; a merge brings along those of its other parents."""
        if not commit.parents:
            return
        first, *others = (self.repository.commit(parent).tree for parent in commit.parents)
        for path, kind, _ in self.repository.diff(first, commit.tree, part=HANDOFF):
            entry = self.repository.entry(commit.tree, path)
            if not path.startswith(STATES) or path in own or entry and any(self.repository.entry(o, path) == entry for o in others):
                continue
            self.say("handoff", f"by hand it changes what only steps and landings may: {path}", commit.name)

    def is_landing(self, commit):
        if len(commit.parents) != 2:
            return False
        own = [self.repository.entry(tree, ONTO) for tree in
               [commit.tree] + [self.repository.commit(parent).tree for parent in commit.parents]]
        return own[0] is not None and own[0] not in own[1:]

    def landing(self, commit, chains):
        """The merge of a task; or, of no task, that of the integration branch into a person's."""
        task, repository = commit.task, self.repository
        if task:
            wanted = f"Orchestrate-Task: {task}\nOrchestrate-Step: land\nOrchestrate-Outcome: done"
            must(commit.block == wanted and not commit.strays, "trailers", "its message has other trailers than a landing's")
            must(len(commit.parents) == 2, "landing", f"it has {len(commit.parents)} parents, not two")
        onto, tip = map(repository.commit, commit.parents)
        file, state = (f".handoff/landings/{task}.json", f".handoff/checkpoints/{task}.toml") if task else (ONTO, None)
        text = repository.file(commit.tree, file)
        record = read_json(text) if text is not None else None
        if task:
            for path, kind, _ in repository.diff(onto.tree, commit.tree, part=HANDOFF):
                if path not in (file, state) or kind == "removed":
                    self.say("handoff", f"it changes a file that a landing does not touch: {path}", commit.name, task)
            if not repository.entry(commit.tree, state) or repository.entry(commit.tree, state) != repository.entry(tip.tree, state):
                self.say("checkpoint", "the state that it brings along is not that of the last step", commit.name, task)
            chain = next((chain for chain in chains if chain.task == task and tip.name in chain.names), None)
            must(chain, "landing", f"it merges {tip.name}, which is no step of '{task}'")
            end = read_toml(repository.file(tip.tree, state))
            must(State(end).finished(), "landing", "it merges a task that is not finished")
            merged = repository.merge(repository.commit(end["base"]).tree, onto.tree, chain.at(end.get("good", 0)).tree)
            must(merged == repository.code(commit.tree)[0], "landing", "its code is not what the task's changes make of the branch")
        must(record is not None, "landing", "it carries no record of the verdict that let it pass")
        must(record.get("task") == task and (record["onto"], record["tip"]) == (onto.name, tip.name), "landing", "its record is of another merge")
        must(not task or task in record.get("batch", []), "landing", "its record does not name it among what was gated")
        code, verdict = repository.code(commit.tree)[0], record.get("gate")
        must(record["code"] == code, "landing", "its code is not what its record names")
        if not verdict:
            return must(task, "landing", "no verdict of a gate is on it")  # for tasks gated together, see `batches`
        must(verdict["tree"] == code, "landing", "the gate's verdict is on another tree than what landed")
        must(verdict["result"] == "pass" and verdict["checks"], "landing", "the gate did not pass it")
        has_definition(verdict, record.get("definition"))
        configs = [repository.file(onto.tree, CONFIG), repository.file(tip.tree, CONFIG), (record.get("config") or "").encode() or None]
        wrong = Wrong("definition", "there is no configuration to compare the gate with")
        for config in reversed([config for config in configs if config is not None]):
            try:
                defined(config, verdict, record["definition"])
                wrong = None
                break
            except Wrong as error:
                wrong = error
        if wrong:
            raise wrong
        covers(configs[0], verdict, record["definition"])

    def batches(self, landings):
        """Tasks that were gated together: the verdict is on the last of them, so it must follow the others at once."""
        records, child = {}, {commit.parents[0]: commit for commit in landings if commit.parents}
        for commit in landings:
            text = self.repository.file(commit.tree, f".handoff/landings/{commit.task}.json")
            records[commit.name] = read_json(text) if text is not None else None
        for commit in landings:
            at, batch = commit, (records[commit.name] or {}).get("batch")
            while at and records[at.name] and records[at.name].get("batch") == batch and not records[at.name].get("gate"):
                at = child.get(at.name)
            ended = at and records[at.name] and records[at.name].get("batch") == batch
            if records[commit.name] and not ended:
                self.say("landing", "no verdict of a gate is on it, nor on one that was gated with it", commit.name, commit.task)


class Chain:
    def __init__(self, line, before):
        self.line, self.before, self.task = line, before, line[0].task
        self.names = {commit.name for commit in line}

    def at(self, step):
        if step == 0:
            return self.before if self.line[0].step == 1 else None
        return next((commit for commit in self.line if commit.step == step), None)


class Step:
    def __init__(self, judge, chain, commit, before):
        self.repository, self.judge, self.chain, self.commit, self.root = judge.repository, judge, chain, commit, before
        self.record = self.known = self.subject = self.after = None
        self.wrote, self.task = [], chain.task
        self.state_file = f".handoff/checkpoints/{self.task}.toml"
        self.record_file = f".handoff/steps/{self.task}/{commit.step:04}-{commit.phase.replace('/', '-')}.json"
        self.before_text = before and self.repository.file(before.tree, self.state_file)
        try:
            self.before = self.before_text and read_toml(self.before_text)
        except ValueError:
            self.before = None  # said where it is judged itself

    def say(self, rule, what):
        self.judge.say(rule, what, self.commit.name, self.task)

    def parents(self):
        must(len(self.commit.parents) == 1, "chain", f"it has {len(self.commit.parents)} parents: a step stands on one")

    def files(self):
        """Below .handoff/ a step changes its state and adds its record; the first also brings what the task is."""
        for path, kind, mode in self.repository.diff(self.root and self.root.tree, self.commit.tree, part=HANDOFF):
            first = self.before_text is None and (path == SIGNERS or path.startswith(".handoff/workflows"))
            brings = path == CONFIG or path.startswith(f".handoff/tasks/{self.task}.") or first
            own = path == self.state_file and kind != "removed" or path == self.record_file and kind == "added"
            if not own and not brings:
                self.say("handoff", f"it touches a file that a step does not: {path}")
            elif mode not in (None, PLAIN):
                self.say("handoff", f"what it puts there is no plain file: {path}")

    def read(self):
        entry = self.repository.entry(self.commit.tree, self.record_file)
        must(entry, "claim", f"it says that it is step {self.commit.step} {self.commit.phase}, and has no record of it")
        must(entry[0] == PLAIN, "handoff", "its record is no plain file")
        record = read_json(self.repository.read(entry[1], "blob"))
        for key in ("task", "seq", "phase", "attempt", "actor", "base", "code", "started", "duration_ms", "outcome"):
            must(key in record, "record", f"its record has no '{key}'")
        self.record = record

    def fits(self):
        record, commit = self.record, self.commit
        must(record["task"] == self.task, "record", f"its record is of task '{record['task']}'")
        must((record["seq"], record["phase"]) == (commit.step, commit.phase), "record", "its record is of another step")
        if self.root and record.get("checkpoint_before") != (digest(self.before_text) if self.before_text is not None else None):
            self.say("checkpoint", "the state before it is not the one that its record names")
        if record["code"] != self.repository.code(commit.tree)[0]:
            self.say("code", "its code is not what its record names")
        agent = record["actor"].get("name") if record["actor"]["kind"] == "agent" else None
        must(commit.author == commit.committer or agent and commit.author[1] == f"{agent}@git-orchestrate.invalid",
             "record", f"its author is '{commit.author[1]}', neither who committed it nor its agent")
        if record["actor"]["kind"] == "person":
            must(record["actor"]["identity"] == "{} <{}>".format(*commit.committer), "record", "the decision is of somebody else")

    def trailers(self):
        record, actor, wanted = self.record, self.record["actor"], []
        if actor["kind"] == "agent":
            model = "".join(c for c in actor.get("model") or "" if "!" <= c <= "~")[:80]
            wanted = [f"Assisted-by: {actor['adapter']}" + (f":{model}" if actor.get("model") is not None else "")]
        wanted += [f"Orchestrate-Task: {record['task']}", f"Orchestrate-Step: {record['seq']} {record['phase']}",
                   f"Orchestrate-Outcome: {record['outcome']}"]
        must(self.commit.block == "\n".join(wanted), "trailers", "its message says something else than its record")
        must(not self.commit.strays, "trailers", "its message has trailers of ours among an agent's words")

    def code(self):
        record, repository, chain, before = self.record, self.repository, self.chain, self.before
        good = chain.at((before or {}).get("good", 0))
        if before and not before.get("good"):
            good = repository.commit(before["base"])
        if record["actor"]["kind"] == "land" and record["phase"] == "land":
            if record.get("new_base") and before and good:
                trees = (repository.commit(name).tree for name in (before["base"], record["new_base"]))
                merged = repository.merge(*trees, good.tree)
                must(merged in (None, record["code"]), "code", "its code is not what the task's changes make of the new base")
            return
        known = {commit.name for commit in chain.line if commit.step < record["seq"]} | {good and good.name}
        base = before["base"] if before else chain.before and chain.before.name
        moved = record.get("new_base") == record["base"]
        must(not self.root or record["base"] in known | {base} or moved or self.was_base(record["base"]),
             "record", "it was made on a commit that is none of the task's")
        start = repository.commit(record["base"])
        writes = State(before).writes(record["phase"]) and record["actor"]["kind"] == "agent" if before else bool(record.get("changed"))
        if not writes:
            must(repository.code((good or start).tree)[0] == repository.code(self.commit.tree)[0],
                 "code", "it changes code, and only reads by its nature")
            return
        changes = list(repository.diff(start.tree, self.commit.tree, part="code"))
        self.wrote = [path for path, _, _ in changes]
        for path, _, mode in changes:
            target = repository.read(repository.entry(self.commit.tree, path)[1], "blob") if mode == LINK else None
            if mode == SUBMODULE:
                self.say("tree", f"it puts a commit of another repository there: {path}")
            elif mode and path.split("/")[0].lower() == HANDOFF:
                self.say("tree", f"it puts a file there that can be taken for one of ours: {path}")
            elif mode and any(map(is_git, path.split("/"))):
                self.say("tree", f"it puts a file there that can be taken for git's own: {path}")
            elif mode == LINK and (path.endswith(".gitmodules") or leads_outside(path, target)):
                self.say("tree", f"it puts a link there that git reads its submodules from, or that leads out: {path}")
        shown = lambda path: path.encode(errors="surrogateescape").decode(errors="replace")
        made = {shown(path): "deleted" if kind == "removed" else kind for path, kind, _ in changes}
        told = {file["path"]: file["change"] for file in record.get("changed", [])}
        if good and not moved and good.name != record["base"] and repository.code(good.tree) != repository.code(start.tree):
            made = {shown(path): told.get(shown(path)) for path, _, _ in repository.diff(good.tree, self.commit.tree, part="code")}
            told = {path: kind for path, kind in told.items() if path in made}
        must(made == told, "changes", "it changes other files than its record names")

    def was_base(self, name):
        """Whether the task's changes were once made on it: the step began before another moved the base."""
        texts = (self.repository.file(commit.tree, self.state_file) for commit in self.chain.line if commit.step < self.commit.step)
        return self.chain.before and self.chain.before.name == name or any(text and read_toml(text).get("base") == name for text in texts)

    def state(self):
        text = self.repository.file(self.commit.tree, self.state_file)
        must(text is not None, "checkpoint", "it leaves no state")
        try:
            self.after = read_toml(text)
        except ValueError:
            raise Wrong("checkpoint", "the state that it leaves cannot be read")
        if self.before:
            self.known = self.before
        elif self.record["seq"] == 1 and self.root and self.before_text is None:
            self.known = self.beginning()
        else:
            return
        spec = State(self.known).spec(self.record["phase"]) or {}
        self.subject = spec.get("reviews") and State(self.known).sibling(self.record["phase"], spec["reviews"])
        follows = plain(State(self.known).apply(self.record))
        must(follows == plain(self.after), "checkpoint", "the state that it leaves does not follow from the one before: "
             + ", ".join(key for key in follows.keys() | self.after.keys() if follows.get(key) != plain(self.after).get(key)))

    def beginning(self):
        """The state before the first step: what the task, its workflow and the configuration of that commit make."""
        own, root, file = self.after, self.commit.tree, self.repository.file
        name = own["workflow"]["name"]
        text = file(root, f".handoff/workflows/{name}.toml")
        built_in = Path(__file__).resolve().parent.parent / f"src/handoff/workflows/{name}.toml"
        if text is None and re.fullmatch(r"[a-z0-9-]+", name) and built_in.exists():
            text = built_in.read_bytes()
        if text is None:
            print(f"# workflow '{clean(name)}' is built in, and its text is not here")
        workflow = {"name": name, **read_toml(text)} if text is not None else own["workflow"]
        if plain(workflow) != plain(own["workflow"]):
            self.say("checkpoint", f"it follows another workflow '{name}' than the one that it brings along")
        bounds, config = own["bounds"], file(root, CONFIG)
        task = self.judge.task(root, self.task)
        if task is not None and config is not None:
            limits = read_toml(config).get("limits", {})
            bounds = {f"{key}_max": limits.get(key, 3) for key in ("attempts", "infra", "land_rounds")}
            limit = {"budget_usd": task.get("budget_usd", limits.get("task_budget_usd")),
                     "timeout": task.get("timeout", limits.get("task_timeout"))}
            bounds |= {key: value for key, value in limit.items() if value is not None}
        task = task if task is not None else own
        phases = [{"id": s["id"], "state": "waiting", "needs": s.get("needs", [])} for s in own["workflow"]["phase"]]
        phases.append({"id": "land", "state": "waiting", "needs": [phase["id"] for phase in phases]})
        said = {"schema": SCHEMA, "task": self.task, "base": self.root.name, "bounds": bounds, "phase": phases,
                "workflow": own["workflow"], **{key: task[key] for key in ("labels", "area") if task.get(key)}}
        state = State(said)
        state.settle()
        return state.said

    def verdict(self):
        record, verdict, is_gate = self.record, self.record.get("gate"), self.record["actor"]["kind"] == "gate"
        must(verdict or not is_gate, "gate", "the gate's verdict is not in its record")
        if not verdict or not self.known:
            return
        judged = self.repository.code(self.repository.commit(record["base"]).tree)[0] if is_gate else record["code"]
        must(verdict["tree"] == judged, "gate", "the gate's verdict is on another tree")
        must({"done": "pass", "failed": "fail", "infra": "infra"}.get(record["outcome"]) == verdict["result"],
             "gate", f"the gate said '{verdict['result']}', the step ended as '{record['outcome']}'")
        must(verdict["result"] != "pass" or verdict["checks"], "gate", "the gate passed it without a check")
        wanted = (State(self.known).spec(record["phase"]) or {}).get("gate")
        must(wanted in (None, "auto", verdict["profile"]), "gate", f"gate '{verdict['profile']}' judged where '{wanted}' must")
        has_definition(verdict, record.get("definition"))
        config = self.repository.file(self.commit.tree, CONFIG)
        must(config is not None, "definition", "the commit has no configuration to compare the gate with")
        defined(config, verdict, record["definition"])

    def actor(self):
        if not self.known:
            return
        record, kind, state = self.record, self.record["actor"]["kind"], State(self.known)
        spec = state.spec(record["phase"]) or {}
        right = {"person": bool(record.get("decision")), "agent": spec.get("role") and record.get("role") == spec["role"],
                 "gate": spec.get("gate"), "land": record["phase"] == "land" and not spec}
        must(right.get(kind), "record", f"phase '{record['phase']}' cannot be done by '{kind}'")
        attempts = next((phase.get("attempts", 0) for phase in state.phases if phase["id"] == record["phase"]), 0)
        must(kind == "person" or record["attempt"] == attempts + 1, "record", f"it is attempt {attempts + 1} at its phase")


def leads_outside(path, target):
    depth = path.count("/")
    for part in target.split(b"/"):
        depth += {b"": 0, b".": 0, b"..": -1}.get(part, 1)
        if depth < 0:
            return True
    return target.startswith(b"/")


def is_git(name):
    name = re.sub("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]", "", name)
    return name.rstrip(". ").lower().split(":")[0] in (".git", "git~1")


def clean(text):
    return "".join(c if c.isprintable() else "?" for c in str(text).encode(errors="replace").decode(errors="replace"))[:300]


# -- what is judged

def reach(repository, tips, without, judge=None):
    """The commits that the tips reach, by name."""
    found, open_ = {}, [(tip, None) for tip in tips if tip not in without]
    while open_:
        name, child = open_.pop()
        if name in found or name in without:
            continue
        try:
            found[name] = commit = repository.commit(name)
            open_ += [(parent, name) for parent in commit.parents]
        except Wrong as wrong:
            if judge:
                judge.say(wrong.args[0], wrong.args[1], child)
    return found


def histories(repository, judge, found):
    """Commits of which git shows another history than the one they name."""
    def lines(file):
        path = repository.common / file
        return [line.split()[0] for line in path.read_text(errors="replace").splitlines() if line.strip()] if path.exists() else []
    replaced = [name.rsplit("/", 1)[1] for name in repository.git("for-each-ref", "--format=%(refname)", "refs/replace/").split()]
    for name in set(replaced + lines("info/grafts")) & found.keys():
        judge.say("history", "git shows another commit in its place", name)
    for name in set(lines("shallow")) & found.keys():
        if found[name].parents and all(parent in found for parent in found[name].parents):
            judge.say("history", "git shows no history before it, although it is there", name)


def main():
    words = argparse.ArgumentParser(usage=__doc__.split("\n")[2].strip())
    words.add_argument("-C", default=".", dest="place")
    words.add_argument("--strict", action="store_true")
    words.add_argument("--allowed-signers", type=Path)
    words.add_argument("what", nargs="?")
    asked = words.parse_args()
    try:
        repository = Repository(asked.place)
    except LookupError as error:
        print(f"fatal: {clean(error)}", file=sys.stderr)
        return 128
    revision = lambda name: repository.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name or 'HEAD'}^{{commit}}")
    ref = "--format=%(objectname) %(refname)"
    branches = dict(reversed(line.split(" ", 1)) for line in repository.git("for-each-ref", ref, TASKS).splitlines())
    old = only = None
    try:
        if asked.what and ".." in asked.what:
            start, end = asked.what.split("..", 1)
            old, tips, named = revision(start), [revision(end.lstrip("."))], {}
        elif asked.what and not re.fullmatch(TASK, asked.what):
            tips, named = [revision(asked.what)], {}
        else:
            heads = repository.git("for-each-ref", "--format=%(objectname)", "refs/heads/orchestrate/integration").split()
            tips, named, only = [*branches.values(), *heads], branches, asked.what
            try:
                tips.append(revision("HEAD"))
            except LookupError:
                pass  # of a branch that has no commit yet
            if only and TASKS + only not in branches and not any(
                    repository.entry(repository.commit(tip).tree, f".handoff/checkpoints/{only}.toml") for tip in tips):
                tips, named, only = [revision(only)], {}, None
        base = old or revision("HEAD")
    except LookupError:
        print("fatal: there is no such task or revision", file=sys.stderr)
        return 4

    def committed(commit, path):
        try:
            return (repository.file(repository.commit(commit).tree, path) or b"").decode()
        except Wrong:
            return ""
    first_use = False
    if asked.allowed_signers:
        keys = Keys(asked.allowed_signers.read_text(), asked.allowed_signers)
    else:
        text = committed(base, SIGNERS)
        first_use = not text.strip()
        keys = Keys(text or next((text for tip in tips if (text := committed(tip, SIGNERS))), ""), base)
    judge = Judge(repository, keys, tomllib.loads(committed(base, CONFIG)).get("audit", {}))
    known = reach(repository, [old] if old else [], {})
    found = reach(repository, tips, known, judge)

    steps = [commit for commit in found.values() if commit.kind == "step"]
    stood_on = {(commit.parents[0], commit.task) for commit in steps if commit.parents}
    chains = []
    for tip in (commit for commit in steps if (commit.name, commit.task) not in stood_on):
        try:
            chains.append(judge.chain(tip))
        except Wrong as wrong:
            judge.say(wrong.args[0], wrong.args[1], tip.name, tip.task)
    for chain in chains:
        judge.judge_chain(chain)
    landings = [commit for commit in found.values() if commit.kind == "landing"]
    for commit in found.values():
        if commit.kind == "landing":
            judge.check(commit, commit.task, [(judge.made, commit), (judge.landing, commit, chains)])
        elif commit.kind == "garbled":
            judge.say("claim", "its trailers make no sense", commit.name)
        elif commit.kind == "person":
            looks = []
            try:
                if judge.is_landing(commit):
                    looks = [(judge.made, commit), (judge.landing, commit, chains)]
            except Wrong as wrong:
                judge.say(wrong.args[0], wrong.args[1], commit.name)
            judge.check(commit, None, looks + [(judge.states_unchanged, commit, (ONTO,) if looks else ())])
    judge.batches(landings)
    histories(repository, judge, found)
    judge.findings = [finding for finding in judge.findings if finding[1] is None or finding[1] in found]
    for name, tip in named.items():
        task, commit = name.removeprefix(TASKS), found.get(tip)
        if commit and (commit.kind, commit.task) != ("step", task):
            judge.say("chain", f"the branch of '{task}' ends in a commit that is no step of it", tip, task)
    if old and all(repository.commit(name).kind == "step" for name in (old, tips[0])):
        same, line, at = repository.commit(old).task == repository.commit(tips[0]).task, tips[0], tips[0]
        while same and at and at != old:
            at = next(iter(repository.commit(at).parents), None)
        if same and not at:
            judge.say("rewound", f"the branch was at {old} and did not grow from there", tips[0])
    if first_use:
        judge.say("trust", "the keys are those that the commits bring along: compare them with their owner")
    if only:
        own = {commit.name for commit in found.values() if commit.task == only}
        judge.findings = [f for f in judge.findings if (f[2] == only if f[2] else f[1] is None or f[1] in own)]
    for rule, commit, _, what in dict.fromkeys(judge.findings):
        print(rule, commit or "-", clean(what))
    print(f"# {len(steps)} steps, {len(landings)} landings, keys of {clean(keys.where)}")
    if not found and not judge.findings and not old:
        return 4
    return int(any(asked.strict or rule != "trust" for rule, *_ in judge.findings))


if __name__ == "__main__":
    sys.exit(main())
