//! The tools of models without a program of their own: what they do in a worktree, and that nothing leads out of it.
//! Each way out is a row of a table; each is tried by every tool that takes a path.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use git_orchestrate::{
    agents::tools::{
        ground::Ground,
        tool::RunPolicy,
        toolbox::{Bench, ToolResult, Toolbox, environment},
    },
    model::workflow::Access,
    sys::process::{Cancel, Label, Supervisor},
};
use serde_json::{Value, json};

/// A worktree with something outside that must not be touched.
struct Place {
    home: tempfile::TempDir,
    supervisor: Supervisor,
    cancel: Cancel,
}

impl Place {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("done");
        let place = |path: &str| home.path().join(path);
        fs::create_dir_all(place("worktree/src/deep")).expect("done");
        fs::create_dir_all(place("worktree/.handoff")).expect("done");
        fs::create_dir_all(place("worktree/sub/.git")).expect("done");
        fs::create_dir_all(place("outside/dir")).expect("done");
        fs::write(place("worktree/.git"), "gitdir: secret\n").expect("done");
        fs::write(place("worktree/sub/.git/config"), "secret\n").expect("done");
        fs::write(place("worktree/.handoff/config.toml"), "secret\n").expect("done");
        fs::write(place("worktree/src/main.rs"), "fn main() {\n    one();\n    one();\n}\n").expect("done");
        fs::write(place("worktree/src/deep/a.txt"), "alpha\nbeta\n").expect("done");
        fs::write(place("outside/secret"), "secret\n").expect("done");
        fs::write(place("outside/dir/secret"), "secret\n").expect("done");
        let supervisor = Supervisor::new(place("children"), format!("tools-{}", std::process::id())).expect("done");
        Self { home, supervisor, cancel: Cancel::new() }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path("worktree").join(path);
        fs::create_dir_all(path.parent().expect("done")).expect("done");
        fs::write(path, content).expect("done");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path("worktree").join(path)).expect("done")
    }

    fn bench(&self, access: Access) -> Bench<'_> {
        Bench {
            worktree: self.path("worktree"),
            access,
            run: RunPolicy { allowed: true, wall: Duration::from_secs(20), output_bytes_max: 4096 },
            env: environment(&[], &BTreeMap::new(), &[]),
            label: Label::default(),
            supervisor: &self.supervisor,
            cancel: &self.cancel,
        }
    }

    fn toolbox(&self, access: Access) -> Toolbox<'_> {
        Toolbox::new(self.bench(access)).expect("done")
    }

    fn call(&self, tool: &str, arguments: Value) -> ToolResult {
        self.toolbox(Access::Write).call(tool, &arguments)
    }

    #[track_caller]
    fn check(&self, tool: &str, arguments: Value, wanted: &str) {
        let result = self.call(tool, arguments);
        assert!(!result.is_error, "{result:?}");
        assert_eq!(result.text, wanted);
    }

    #[track_caller]
    fn refused(&self, tool: &str, arguments: Value, wanted: &str) {
        let result = self.call(tool, arguments.clone());
        assert!(result.is_error && result.text.contains(wanted), "{tool} {arguments}: {result:?}");
        assert!(!result.detail.contains('\n'), "{result:?}");
    }
}

/// Tries every tool that takes a path, and that none of them reaches it.
fn escapes(place: &Place, path: &str, wanted: &str) {
    let calls = [
        ("read", json!({"path": path})),
        ("list", json!({"path": path})),
        ("search", json!({"path": path, "pattern": "secret"})),
        ("write", json!({"path": path, "content": "taken"})),
        ("write", json!({"path": format!("{path}/new/file"), "content": "taken"})),
        ("edit", json!({"path": path, "old": "secret", "new": "taken"})),
    ];
    for (tool, arguments) in calls {
        let result = place.call(tool, arguments.clone());
        assert!(result.is_error, "{tool} {arguments}: {result:?}");
        assert!(!result.text.contains("secret\n") && !result.text.contains("gitdir"), "{tool} {arguments}: {result:?}");
        if !arguments.to_string().contains("/new/file") {
            assert!(result.text.contains(wanted), "{tool} {arguments}: {result:?}");
        }
    }
}

#[test]
fn no_path_leads_out_of_the_worktree() {
    let place = Place::new();
    let outside = place.path("outside").to_string_lossy().into_owned();
    let worktree = place.path("worktree").to_string_lossy().into_owned();
    let tree = |path: &str| place.path("worktree").join(path);
    symlink("../outside", tree("link")).expect("done");
    symlink(place.path("outside"), tree("absolute")).expect("done");
    symlink(place.path("outside/secret"), tree("file")).expect("done");
    symlink("link/dir", tree("chain")).expect("done");
    symlink("..", tree("src/up")).expect("done");
    symlink("../../../outside/secret", tree("src/deep/far")).expect("done");
    symlink("/proc/self/root/etc/passwd", tree("proc")).expect("done");
    symlink("/etc/passwd", tree("passwd")).expect("done");
    symlink(".git", tree("git")).expect("done");
    symlink("sub/.git/config", tree("config")).expect("done");
    symlink(".handoff", tree("handoff")).expect("done");
    symlink("nowhere/../../outside/secret", tree("dangling")).expect("done");

    for path in [
        "../outside/secret",
        "../outside",
        "..",
        "src/../../outside/secret",
        "src/deep/../../../outside/secret",
        "./../outside/secret",
        &format!("{outside}/secret"),
        &format!("{worktree}/../outside/secret"),
        &format!("{worktree}2/secret"),
        "/etc/passwd",
        "/",
        "link/secret",
        "link/dir/secret",
        "absolute/secret",
        "file",
        "chain/secret",
        "src/up/../outside/secret",
        "src/deep/far",
        "proc",
        "passwd",
    ] {
        escapes(&place, path, "outside the worktree");
    }
    for path in [
        ".git",
        ".GIT",
        ".Git/config",
        "sub/.git/config",
        "sub/.GIT/config",
        ".git.",
        ".gi\u{200c}t",
        "git~1",
        "src/../.git",
        "git",
        "config",
        "src/up/.git",
        ".handoff",
        ".handoff/config.toml",
        ".HANDOFF/config.toml",
        "handoff/config.toml",
        "src/../.handoff/x",
    ] {
        escapes(&place, path, "is not for agents");
    }
    escapes(&place, &format!("{worktree}/.git"), "is not for agents");
    escapes(&place, "dangling", "there is no");
    escapes(&place, "a\0b", "not a path");
    escapes(&place, &"x/".repeat(3000), "not a path");

    assert_eq!(fs::read_to_string(place.path("outside/secret")).expect("done"), "secret\n");
    assert_eq!(fs::read_to_string(place.path("outside/dir/secret")).expect("done"), "secret\n");
    assert_eq!(fs::read_dir(place.path("outside")).expect("done").count(), 2);
    assert_eq!(fs::read_dir(place.path("")).expect("done").count(), 3, "nothing was made beside the worktree");
    assert_eq!(place.read(".git"), "gitdir: secret\n");
    assert_eq!(place.read(".handoff/config.toml"), "secret\n");
    assert!(!tree("nowhere").exists(), "no directory is made on the way out");
}

#[test]
fn links_that_stay_inside_are_followed_and_kept() {
    let place = Place::new();
    let tree = |path: &str| place.path("worktree").join(path);
    symlink("src/deep", tree("short")).expect("done");
    symlink(tree("src/deep/a.txt"), tree("absolute")).expect("done");
    symlink("two", tree("one")).expect("done");
    symlink("one", tree("two")).expect("done");
    place.check("read", json!({"path": "short/a.txt"}), "1\talpha\n2\tbeta\n");
    place.check("read", json!({"path": "absolute"}), "1\talpha\n2\tbeta\n");
    place.check("edit", json!({"path": "absolute", "old": "beta", "new": "gamma"}), "replaced in 'absolute' at line 2");
    assert_eq!(place.read("src/deep/a.txt"), "alpha\ngamma\n");
    assert!(fs::symlink_metadata(tree("absolute")).expect("done").is_symlink(), "the link is still one");
    place.refused("read", json!({"path": "one"}), "too many links");
    place.refused("write", json!({"path": "one/x", "content": ""}), "too many links");
}

#[cfg(target_os = "linux")]
#[test]
fn a_link_that_is_swapped_in_meanwhile_is_never_followed() {
    use rustix::fs::{CWD, RenameFlags};
    let place = Place::new();
    let tree = |path: &str| place.path("worktree").join(path);
    fs::create_dir(tree("flip")).expect("done");
    fs::write(tree("flip/secret"), "mine\n").expect("done");
    symlink("../outside/dir", tree("flop")).expect("done");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                // Exchanges a directory and a link that leads outside, as fast as can be.
                rustix::fs::renameat_with(CWD, tree("flip"), CWD, tree("flop"), RenameFlags::EXCHANGE).expect("done");
            }
        });
        let toolbox = place.toolbox(Access::Write);
        for turn in 0..400 {
            for (tool, arguments) in [
                ("read", json!({"path": "flip/secret"})),
                ("search", json!({"path": ".", "pattern": "secret"})),
                ("write", json!({"path": "flip/new", "content": turn.to_string()})),
                ("list", json!({"path": ".", "depth": 3})),
            ] {
                let result = toolbox.call(tool, &arguments);
                assert!(!result.text.contains("\tsecret"), "{result:?}");
                assert!(!result.text.contains("secret: secret"), "{result:?}");
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(fs::read_dir(place.path("outside/dir")).expect("done").count(), 1, "nothing was written there");
}

#[test]
fn what_is_no_file_is_neither_waited_for_nor_written_over() {
    let place = Place::new();
    let pipe = place.path("worktree/pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("done");
    let _socket = std::os::unix::net::UnixListener::bind(place.path("worktree/socket")).expect("done");
    for (path, kind) in [("pipe", "a pipe"), ("socket", "a socket")] {
        place.refused("read", json!({"path": path}), kind);
        place.refused("write", json!({"path": path, "content": "x"}), kind);
        place.refused("edit", json!({"path": path, "old": "a", "new": "b"}), kind);
    }
    place.refused("write", json!({"path": "src", "content": "x"}), "'src' is a directory");
    place.refused("write", json!({"path": "new/", "content": "x"}), "is a directory");
    place.refused("write", json!({"path": ".", "content": "x"}), "is a directory");
    place.refused("read", json!({"path": "src"}), "use the tool 'list'");
    place.refused("read", json!({"path": "src/main.rs/x"}), "not a directory");
    place.check("search", json!({"pattern": "alpha"}), "src/deep/a.txt:1: alpha\n");
}

#[test]
fn files_are_read_in_part_and_bounded() {
    let place = Place::new();
    place.check("read", json!({"path": "src/deep/a.txt"}), "1\talpha\n2\tbeta\n");
    let absolute = place.path("worktree/src/deep/a.txt");
    place.check("read", json!({"path": absolute, "from": 2}), "2\tbeta\n");
    place.check(
        "read",
        json!({"path": "src/main.rs", "from": 2, "lines": 2}),
        "2\t    one();\n3\t    one();\n[lines 2 to 3 of 4; go on with from = 4]\n",
    );
    place.refused("read", json!({"path": "src/main.rs", "from": 9}), "has 4 lines, so there is no line 9");
    place.refused("read", json!({"path": "none"}), "there is no 'none'");
    place.write("empty", "");
    place.check("read", json!({"path": "empty"}), "the file is empty");
    place.write("binary", b"\x7fELF\0\0");
    place.check("read", json!({"path": "binary"}), "binary file, 6 bytes");
    place.write("latin", b"caf\xe9\n");
    assert!(place.call("read", json!({"path": "latin"})).text.contains("not UTF-8"));
    place.refused("edit", json!({"path": "latin", "old": "caf", "new": "x"}), "not UTF-8");
    place.write("long", "x\n".repeat(5000));
    let shown = place.call("read", json!({"path": "long"})).text;
    assert!(shown.ends_with("[lines 1 to 2000 of 5000; go on with from = 2001]\n"), "{}", &shown[shown.len() - 80..]);
    place.write("wide", "y".repeat(1 << 20));
    assert!(place.call("read", json!({"path": "wide"})).text.len() < 3000);
    let huge = fs::File::create(place.path("worktree/huge")).expect("done");
    huge.set_len(1 << 40).expect("done");
    place.refused("read", json!({"path": "huge"}), "has 1 TiB, more than");
    place.refused("edit", json!({"path": "huge", "old": "a", "new": "b"}), "has 1 TiB, more than");
}

#[test]
fn ignore_rules_are_heeded() {
    let place = Place::new();
    place.write(".gitignore", "target/\n*.log\n!keep.log\n/only\n");
    place.write("src/.gitignore", "*.tmp\n!x.log\n");
    for path in ["target/out.rs", "a.log", "keep.log", "only/in", "src/only/in", "src/a.tmp", "src/x.log", ".github/ci"]
    {
        place.write(path, "needle\n");
    }
    place.check(
        "search",
        json!({"pattern": "needle"}),
        ".github/ci:1: needle\nkeep.log:1: needle\nsrc/only/in:1: needle\nsrc/x.log:1: needle\n",
    );
    place.check("search", json!({"pattern": "needle", "glob": "*.log"}), "keep.log:1: needle\nsrc/x.log:1: needle\n");
    place.check("search", json!({"pattern": "needle", "path": "target"}), "target/out.rs:1: needle\n");
    place.check(
        "search",
        json!({"pattern": "NEEDLE", "path": "keep.log", "ignore_case": true}),
        "keep.log:1: needle\n",
    );
    place.check("search", json!({"pattern": "nee.*x"}), "[no match]\n");
    place.refused("search", json!({"pattern": "a("}), "'pattern' is wrong");
    place.check("search", json!({"pattern": "main(", "literal": true}), "src/main.rs:1: fn main() {\n");
    place.check(
        "list",
        json!({}),
        ".github/\n.gitignore  30 bytes\nkeep.log  7 bytes\nsrc/\nsub/\n[3 entries left out by ignore rules]\n",
    );
    let listed = place.call("list", json!({"depth": 3})).text;
    assert!(listed.contains("src/deep/a.txt  11 bytes\n") && !listed.contains(".git/") && !listed.contains(".handoff"));
    place.check("list", json!({"glob": "*.rs"}), "src/main.rs  36 bytes\n[4 entries left out by ignore rules]\n");
}

#[test]
fn searches_show_what_is_around_and_stay_small() {
    let place = Place::new();
    place.check(
        "search",
        json!({"pattern": "^fn", "context": 1}),
        "src/main.rs:1: fn main() {\nsrc/main.rs-2-     one();\n",
    );
    place.write("many", "hit\n".repeat(1000));
    for file in 0..20 {
        place.write(&format!("d/{file:02}"), "hit\n".repeat(100));
    }
    let shown = place.call("search", json!({"pattern": "hit"})).text;
    assert_eq!(shown.matches(": hit\n").count(), 200);
    assert!(shown.contains("[there may be more") && shown.contains("[more in this file]"), "{shown}");
    place.write("wide", "z".repeat(1 << 20));
    assert!(place.call("search", json!({"pattern": "zz"})).text.len() < 500);
}

#[test]
fn files_are_written_whole_and_keep_their_mode() {
    let place = Place::new();
    place.check("write", json!({"path": "new/dir/a.txt", "content": "a\nb\n"}), "created 'new/dir/a.txt' with 2 lines");
    assert_eq!(place.read("new/dir/a.txt"), "a\nb\n");
    let script = place.path("worktree/run.sh");
    fs::write(&script, "#!/bin/sh\n").expect("done");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("done");
    fs::hard_link(&script, place.path("outside/hard")).expect("done");
    place.check("write", json!({"path": "run.sh", "content": "#!/bin/sh\nls\n"}), "replaced 'run.sh' with 2 lines");
    place.check("edit", json!({"path": "run.sh", "old": "ls", "new": "pwd"}), "replaced in 'run.sh' at line 2");
    assert_eq!(fs::metadata(&script).expect("done").permissions().mode() & 0o777, 0o755);
    assert_eq!(
        fs::read_to_string(place.path("outside/hard")).expect("done"),
        "#!/bin/sh\n",
        "a hard link is not written through"
    );
    place.refused("edit", json!({"path": "src/main.rs", "old": "one()", "new": "two()"}), "at lines 2, 3");
    place.refused("edit", json!({"path": "none.rs", "old": "a", "new": "b"}), "there is no 'none.rs'");
    place.check(
        "edit",
        json!({"path": "src/main.rs", "old": "one()", "new": "two()", "all": true}),
        "replaced in 'src/main.rs' at lines 2, 3",
    );
    place.refused("write", json!({"path": "big", "content": "x".repeat(9 << 20)}), "more than the 8 MiB");
    let left: Vec<_> =
        fs::read_dir(place.path("worktree")).expect("done").map(|entry| entry.expect("done").file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "{left:?}");
}

#[test]
fn who_may_only_read_gets_no_tool_that_writes() {
    let place = Place::new();
    let names = |toolbox: &Toolbox<'_>| toolbox.specs().iter().map(|spec| spec.name).collect::<Vec<_>>();
    let reader = place.toolbox(Access::Read);
    assert_eq!(names(&reader), ["read", "list", "search"]);
    for (tool, arguments) in [
        ("write", json!({"path": "a", "content": "b"})),
        ("edit", json!({"path": "src/main.rs", "old": "main", "new": "x"})),
        ("run", json!({"command": "touch made"})),
        ("bash", json!({"command": "touch made"})),
    ] {
        let result = reader.call(tool, &arguments);
        assert!(result.is_error && result.text.contains("there are read, list, search"), "{result:?}");
    }
    assert!(!place.path("worktree/made").exists());
    assert_eq!(names(&place.toolbox(Access::Write)), ["read", "list", "search", "write", "edit", "run"]);
    let worktree = place.path("worktree");
    let bench = place.bench(Access::Write);
    let run = RunPolicy { allowed: false, ..bench.run };
    let without = Toolbox::new(Bench { run, ..bench }).expect("done");
    assert_eq!(names(&without), ["read", "list", "search", "write", "edit"]);
    assert!(without.call("run", &json!({"command": "touch made"})).is_error && !worktree.join("made").exists());
}

#[test]
fn a_command_is_run_within_its_limits() {
    let place = Place::new();
    let run = |command: &str| place.call("run", json!({"command": command}));
    let said = run("pwd; echo bad >&2; exit 3");
    let worktree = place.path("worktree").canonicalize().expect("done");
    assert!(said.text.contains(&worktree.to_string_lossy().into_owned()) && said.text.contains("bad"), "{said:?}");
    assert!(said.is_error && said.text.contains("[exit code 3, after "), "{said:?}");
    assert!(said.detail.ends_with("exit 3: exit code 3"), "{said:?}");
    assert!(!run("true").is_error);
    let said = run("cat; echo read nothing");
    assert!(said.text.starts_with("read nothing\n"), "{said:?}");
    let said = run("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done");
    assert!(said.text.len() < 5000, "{}", said.text.len());
    assert!(said.text.starts_with("line 0\n") && said.text.contains("line 2999\n") && said.text.contains("left out"));
    let said = place.call("run", json!({"command": "sleep 60", "timeout_seconds": 1}));
    assert!(said.is_error && said.text.contains("took longer than 1.0s"), "{said:?}");
    let said = run("sleep 61 >/dev/null 2>&1 & echo started");
    assert!(said.text.contains("1 process that it left running ended"), "{said:?}");
    place.refused("run", json!({"command": " "}), "'command' must be");
    place.cancel.cancel();
    assert!(run("touch made").text.contains("the run stops") && !worktree.join("made").exists());
}

#[test]
fn a_worktree_that_is_not_there_is_an_error() {
    let place = Place::new();
    assert!(Ground::open(&place.path("none")).is_err());
    assert!(Ground::open(&place.path("outside/secret")).is_err());
}
