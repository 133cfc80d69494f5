//! Real children: their ends, their limits, what they leave behind, and what a crashed orchestrator leaves.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, Instant},
};

use git_orchestrate::sys::{
    lock, machine,
    process::{
        Cancel, Conversation, Ended, How, LINE_BYTES_MAX, Label, ProcessLimits, Program, Say, Source, StartError,
        Supervisor,
    },
    signal::{StopLevel, StopSignals},
};

/// The mode in which this test binary is started by itself.
const ROLE: &str = "GIT_ORCHESTRATE_TEST_ROLE";
/// The directory it then works in.
const HOME: &str = "GIT_ORCHESTRATE_TEST_HOME";
/// How long an event is waited for that must come.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// Orphans of crashed orchestrators belong to nobody, so tests that make them are alone.
static ALONE: RwLock<()> = RwLock::new(());

fn among_others() -> RwLockReadGuard<'static, ()> {
    ALONE.read().unwrap_or_else(PoisonError::into_inner)
}

fn alone() -> RwLockWriteGuard<'static, ()> {
    ALONE.write().unwrap_or_else(PoisonError::into_inner)
}

struct Place {
    home: tempfile::TempDir,
    supervisor: Supervisor,
}

impl Place {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let marker = format!("test-{}", home.path().display());
        let supervisor = Supervisor::new(home.path().join("children"), marker).expect("a supervisor");
        Self { home, supervisor }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn script(&self, script: &str) -> Program {
        program(self.home.path(), &["sh", "-c", script])
    }

    fn run(&self, program: &Program) -> Ended {
        self.supervisor.run(program, &Cancel::new(), &mut |_, _| {}).expect("started")
    }

    fn sh(&self, script: &str) -> Ended {
        self.run(&self.script(script))
    }

    /// The process whose number a script has written to a file.
    fn pid(&self, name: &str) -> u32 {
        until(|| fs::read_to_string(self.path(name)).ok()?.strip_suffix('\n')?.parse().ok())
    }

    fn records(&self) -> usize {
        let entries = fs::read_dir(self.path("children")).expect("the directory").map(|entry| entry.expect("an entry"));
        entries.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "json")).count()
    }
}

fn program(cwd: &Path, argv: &[&str]) -> Program {
    let env: BTreeMap<OsString, OsString> = [("PATH".into(), std::env::var_os("PATH").expect("a PATH"))].into();
    Program {
        argv: argv.iter().map(OsString::from).collect(),
        cwd: cwd.to_owned(),
        env,
        stdin: Vec::new(),
        limits: ProcessLimits {
            wall: Duration::from_secs(60),
            idle: None,
            stdout_bytes_max: 1 << 20,
            stderr_bytes_max: 1 << 20,
        },
        label: Label { slot: "w1".to_owned(), task: "T-1".to_owned(), phase: "implement".to_owned() },
    }
}

/// What `look` finds, as soon as it finds something.
fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < WAIT_MAX, "waited in vain");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whether there is such a process, be it a zombie.
fn exists(pid: u32) -> bool {
    machine::process_start(pid).is_some()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
#[cfg(target_os = "linux")]
fn what_a_child_and_those_it_started_used_is_told() {
    let _others = among_others();
    let place = Place::new();
    let work = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; sleep 0.3";
    let ended = place.sh(&format!("sh -c '{work}' & sh -c '{work}'; wait; :"));
    assert_eq!(ended.how, How::Exited(0));
    let two = ended.usage.expect("the system tells");
    let one = place.sh(work).usage.expect("the system tells");
    let least = 100 << 10;
    assert!(one.memory_bytes_max > least && two.memory_bytes_max > one.memory_bytes_max + least, "{one:?} {two:?}");
    assert!(one.cpu > Duration::ZERO && two.cpu > one.cpu, "{one:?} {two:?}");
}

#[test]
fn exit_codes_signals_and_output_are_told() {
    let (_among, place) = (among_others(), Place::new());
    for (script, how) in [
        ("exit 0", How::Exited(0)),
        ("exit 7", How::Exited(7)),
        ("kill -9 $$", How::Signaled(9)),
        ("kill -TERM $$", How::Signaled(15)),
    ] {
        assert_eq!(place.sh(script).how, how, "{script}");
    }
    let mut lines = Vec::new();
    let script =
        place.script("echo one; echo two >&2; printf 'three\\377'; pwd > where; echo \"$0 $HOME $SECRET\" > env");
    let ended = place.supervisor.run(&script, &Cancel::new(), &mut |source, line| lines.push((source, line.to_vec())));
    let ended = ended.expect("started");
    assert_eq!((ended.how, ended.left_behind), (How::Exited(0), 0));
    assert_eq!((&ended.stdout.bytes[..], &ended.stderr.bytes[..]), (&b"one\nthree\xff"[..], &b"two\n"[..]));
    lines.sort_by_key(|(source, _)| *source == Source::Stderr);
    let expected: [(Source, &[u8]); 3] =
        [(Source::Stdout, b"one"), (Source::Stdout, b"three\xff"), (Source::Stderr, b"two")];
    assert_eq!(lines, expected.map(|(source, line)| (source, line.to_vec())));
    let home = place.home.path().canonicalize().expect("there");
    assert_eq!(fs::read_to_string(place.path("where")).expect("written").trim(), home.to_str().expect("text"));
    assert_eq!(fs::read_to_string(place.path("env")).expect("written"), "sh  \n", "nothing is inherited");
    assert_eq!(place.records(), 0);
}

#[test]
fn a_child_that_runs_has_a_record_and_a_group_of_its_own() {
    let (_among, place) = (among_others(), Place::new());
    let script = place.script(
        "echo $$ > pid; ps -o pgid= -p $$ | tr -d ' ' > group; echo $GIT_ORCHESTRATE_MARKER > marker; exec sleep 100",
    );
    let cancel = Cancel::new();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| place.supervisor.run(&script, &cancel, &mut |_, _| {}).expect("started"));
        let pid = place.pid("pid");
        let read =
            |name: &str, end: char| until(|| fs::read_to_string(place.path(name)).ok().filter(|t| t.ends_with(end)));
        let record = read(&format!("children/{pid}.json"), '}');
        assert!(record.contains(read("marker", '\n').trim()), "{record}");
        assert!(record.contains(r#""label":{"slot":"w1","task":"T-1","phase":"implement"}"#), "{record}");
        assert_eq!(place.pid("group"), pid);
        cancel.cancel();
        assert_eq!(running.join().expect("ended").how, How::Cancelled);
    });
    assert_eq!(place.records(), 0);
}

#[test]
fn a_flood_is_read_and_its_ends_are_kept() {
    let (_among, place) = (among_others(), Place::new());
    let mut script = place.script("echo begin; head -c 60000000 /dev/zero | tr '\\0' 'x' | fold -w 99; echo; echo end");
    script.limits.stdout_bytes_max = 10_000;
    let mut lines = 0u64;
    let ended = place.supervisor.run(&script, &Cancel::new(), &mut |_, _| lines += 1).expect("started");
    assert_eq!(ended.how, How::Exited(0));
    let kept = text(&ended.stdout.bytes);
    assert!(kept.starts_with("begin\nxxx") && kept.ends_with("\nend\n"), "{}", kept.len());
    assert!(kept.len() <= 10_000 && kept.lines().skip(1).all(|line| line.len() != 50));
    let written = 6 + 60_000_000 + 60_000_000 / 99 + 5;
    assert_eq!(kept.len() as u64 + ended.stdout.dropped_bytes, written);
    assert_eq!(lines, 60_000_000 / 99 + 1 + 2);
}

#[test]
fn a_line_longer_than_the_limit_is_told_in_part() {
    let (_among, place) = (among_others(), Place::new());
    let script = place.script("head -c 3000000 /dev/zero | tr '\\0' 'x'; echo; echo after");
    let mut lengths = Vec::new();
    let mut told = |_: Source, line: &[u8]| lengths.push(line.len());
    let ended = place.supervisor.run(&script, &Cancel::new(), &mut told).expect("started");
    assert_eq!((ended.how, lengths), (How::Exited(0), vec![LINE_BYTES_MAX, 5]));
}

#[test]
fn input_is_given_whole_and_may_stay_unread() {
    let (_among, place) = (among_others(), Place::new());
    let mut script = place.script("wc -c");
    script.stdin = vec![b'x'; 5_000_000];
    assert_eq!(text(&place.run(&script).stdout.bytes).trim(), "5000000");
    for unread in ["exit 3", "exec <&-; exit 3", "head -c 10 >/dev/null; exit 3"] {
        script.argv[2] = unread.into();
        assert_eq!(place.run(&script).how, How::Exited(3), "{unread}");
    }
    script.argv[2] = "cat".into();
    script.limits.stdout_bytes_max = 6_000_000;
    assert_eq!(place.run(&script).stdout.bytes.len(), 5_000_000, "both ways at once");
    assert_eq!(place.sh("read line || echo no input").stdout.bytes, b"no input\n");
}

#[test]
fn a_tree_that_ignores_term_is_killed() {
    let (_among, place) = (among_others(), Place::new());
    let script = place.script(
        "trap '' TERM; (echo $(exec sh -c 'echo $PPID') > inner; while :; do sleep 1; done) & \
         echo $$ > outer; while [ ! -s inner ]; do sleep 0.01; done; echo ready; while :; do sleep 1; done",
    );
    let cancel = Cancel::new();
    let ended = place.supervisor.run(&script, &cancel, &mut |_, _| cancel.cancel()).expect("started");
    assert_eq!((ended.how, &ended.stdout.bytes[..]), (How::Cancelled, &b"ready\n"[..]));
    assert!(!exists(place.pid("outer")) && !exists(place.pid("inner")));
    assert_eq!(place.records(), 0);
}

#[test]
fn what_takes_too_long_is_ended() {
    let (_among, place) = (among_others(), Place::new());
    let mut script = place.script("while :; do echo talk; sleep 0.01; done");
    script.limits.wall = Duration::from_millis(200);
    let ended = place.run(&script);
    assert_eq!(ended.how, How::WallLimit);
    assert!(ended.duration >= Duration::from_millis(200), "{:?}", ended.duration);
}

#[test]
fn silence_is_ended_and_talk_is_not() {
    let (_among, place) = (among_others(), Place::new());
    let mut script = place.script("echo talk; exec sleep 100");
    script.limits.idle = Some(Duration::from_millis(150));
    assert_eq!(place.run(&script).how, How::IdleLimit);
    script.argv[2] = "for i in 1 2 3 4 5 6; do echo $i >&2; sleep 0.2; done".into();
    script.limits.idle = Some(Duration::from_millis(900));
    let ended = place.run(&script);
    assert_eq!(ended.how, How::Exited(0));
    assert!(ended.duration > Duration::from_millis(900));
}

#[test]
fn what_a_child_says_when_it_is_asked_to_end_is_heard() {
    let (_among, place) = (among_others(), Place::new());
    let script = place.script("trap 'echo saved; exit 0' TERM; echo ready; while :; do sleep 0.05; done");
    let cancel = Cancel::new();
    let ended = place.supervisor.run(&script, &cancel, &mut |_, _| cancel.cancel()).expect("started");
    assert_eq!((ended.how, text(&ended.stdout.bytes).as_str()), (How::Cancelled, "ready\nsaved\n"));
}

#[test]
fn cancelling_is_heard_by_all_children_of_the_word_and_by_later_ones() {
    let (_among, place) = (among_others(), Place::new());
    let cancel = Cancel::new();
    let script = place.script("echo ready; exec sleep 100");
    let (ready, all_ready) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let children: Vec<_> = (0..3)
            .map(|_| {
                let (ready, cancel, place, script) = (ready.clone(), cancel.clone(), &place, &script);
                scope.spawn(move || place.supervisor.run(script, &cancel, &mut |_, _| ready.send(()).expect("heard")))
            })
            .collect();
        for _ in 0..3 {
            all_ready.recv_timeout(WAIT_MAX).expect("a child is ready");
        }
        let said = Instant::now();
        cancel.cancel();
        for child in children {
            let ended = child.join().expect("no panic").expect("started");
            assert_eq!(ended.how, How::Cancelled);
        }
        assert!(said.elapsed() < Duration::from_millis(1500), "without waiting for KILL: {:?}", said.elapsed());
    });
    let late = place.supervisor.run(&place.script("touch started"), &cancel, &mut |_, _| {}).expect("an end");
    assert_eq!(late.how, How::Cancelled);
    assert!(!place.path("started").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn what_left_the_group_is_ended_after_a_good_exit() {
    let (_among, place) = (among_others(), Place::new());
    for (case, script) in [
        ("own session", "setsid sh -c 'echo $$ > pid; exec sleep 100' >/dev/null 2>&1 </dev/null &"),
        ("same group", "sh -c 'echo $$ > pid; exec sleep 100' >/dev/null 2>&1 </dev/null &"),
        (
            "it ignores TERM",
            "setsid sh -c 'trap \"\" TERM; echo $$ > pid; while :; do sleep 1; done' >/dev/null 2>&1 &",
        ),
        ("it holds the pipe", "setsid sh -c 'echo $$ > pid; exec sleep 100' &"),
        ("a family", "setsid sh -c 'setsid sleep 99 & setsid sleep 98 & echo $$ > pid; wait' >/dev/null 2>&1 &"),
    ] {
        let _ = fs::remove_file(place.path("pid"));
        let ended = place.sh(&format!("{script} while [ ! -s pid ]; do sleep 0.01; done; echo done; exit 4"));
        assert_eq!((ended.how, &ended.stdout.bytes[..]), (How::Exited(4), &b"done\n"[..]), "{case}");
        assert!(ended.left_behind >= 1, "{case}");
        assert!(!exists(place.pid("pid")), "{case}: ended and reaped");
        assert!(ended.duration < Duration::from_secs(20), "{case}: {:?}", ended.duration);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_has_cleared_its_environment_is_ended_too() {
    let (_alone, place) = (alone(), Place::new());
    for clearing in ["env -i", "env GIT_ORCHESTRATE_MARKER=of-another:1"] {
        let ended = place.sh(&format!(
            "{clearing} /usr/bin/setsid /bin/sh -c 'echo $$ > pid; exec sleep 100' >/dev/null 2>&1 & \
             while [ ! -s pid ]; do sleep 0.01; done"
        ));
        assert_eq!((ended.how, ended.left_behind), (How::Exited(0), 1), "{clearing}");
        assert!(!exists(place.pid("pid")), "{clearing}");
        fs::remove_file(place.path("pid")).expect("removed");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn of_two_that_end_together_neither_leaves_an_orphan_to_the_other() {
    let (_alone, place) = (alone(), Place::new());
    std::thread::scope(|scope| {
        for at in 0..12 {
            let place = &place;
            scope.spawn(move || {
                for round in 0..5 {
                    place.sh(&format!(
                        "env -i /usr/bin/setsid /bin/sh -c 'echo $$ > pid-{at}-{round}; exec sleep 100' & \
                                       while [ ! -s pid-{at}-{round} ]; do sleep 0.01; done"
                    ));
                }
            });
        }
    });
    let left: Vec<_> =
        (0..60).map(|n| place.pid(&format!("pid-{}-{}", n / 5, n % 5))).filter(|pid| exists(*pid)).collect();
    assert_eq!(left, [] as [u32; 0]);
}

#[test]
fn the_rest_of_a_pipeline_may_finish() {
    let (_among, place) = (among_others(), Place::new());
    let ended = place.sh("(sh -c 'echo late') & echo early");
    let mut lines: Vec<_> = text(&ended.stdout.bytes).lines().map(str::to_owned).collect();
    lines.sort_unstable();
    assert_eq!((lines, ended.left_behind), (vec!["early".to_owned(), "late".to_owned()], 0));
}

#[cfg(target_os = "linux")]
#[test]
fn one_child_does_not_end_what_another_started() {
    let (_among, place) = (among_others(), Place::new());
    let slow = place.script(
        "setsid sh -c 'echo $$ > pid; exec sleep 100' >/dev/null 2>&1 & while [ ! -e go ]; do sleep 0.01; done",
    );
    std::thread::scope(|scope| {
        let running = scope.spawn(|| place.run(&slow));
        let orphan = place.pid("pid");
        for _ in 0..3 {
            assert_eq!(place.sh("exit 0").left_behind, 0);
        }
        assert!(exists(orphan), "it belongs to a child that still runs");
        fs::write(place.path("go"), b"").expect("written");
        assert_eq!(running.join().expect("ended").left_behind, 1);
        assert!(!exists(orphan));
    });
}

#[test]
fn what_cannot_start_says_why() {
    let (_among, place) = (among_others(), Place::new());
    let start =
        |program: &Program| place.supervisor.run(program, &Cancel::new(), &mut |_, _| {}).expect_err("no start");
    let named = |name: &str| program(place.home.path(), &[name]);
    fs::write(place.path("text"), b"no program").expect("written");
    fs::write(place.path("alien"), b"#!/no/such/interpreter\n").expect("written");
    fs::write(place.path("nothing"), b"neither a script nor a program").expect("written");
    for name in ["alien", "nothing"] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(place.path(name), mode).expect("permissions");
    }
    assert!(matches!(start(&named("no-such-program")), StartError::NotFound { .. }));
    assert!(matches!(start(&named("./none")), StartError::NotFound { .. }));
    assert!(matches!(start(&program(place.home.path(), &[])), StartError::NotFound { .. }));
    for name in ["./text", "./alien", "./nothing"] {
        let error = start(&named(name));
        assert!(matches!(error, StartError::NotExecutable { .. }), "{name}: {error:?}");
    }
    let mut long = place.script("exit 0");
    long.argv.push("x".repeat(3_000_000).into());
    assert!(matches!(start(&long), StartError::ArgumentsTooLong { .. }));
    let mut nowhere = place.script("exit 0");
    nowhere.cwd = place.path("nowhere");
    assert!(matches!(start(&nowhere), StartError::NoDirectory { .. }));
    assert_eq!(place.records(), 0);
}

#[test]
fn many_run_at_once_and_nothing_stays() {
    let (_among, place) = (among_others(), Place::new());
    std::thread::scope(|scope| {
        for at in 0..16u8 {
            let place = &place;
            scope.spawn(move || {
                for round in 0..4 {
                    let ended = place.sh(&format!("echo {at}; (echo $$ > pid-{at}-{round}); exit {at}"));
                    assert_eq!((ended.how, text(&ended.stdout.bytes)), (How::Exited(at.into()), format!("{at}\n")));
                }
            });
        }
    });
    for at in 0..16 {
        assert!((0..4).all(|round| !exists(place.pid(&format!("pid-{at}-{round}")))));
    }
    assert_eq!(place.records(), 0);
}

#[test]
fn a_panic_in_the_listener_leaves_no_child() {
    let (_among, place) = (among_others(), Place::new());
    let script = place.script("echo $$ > pid; echo line; exec sleep 100");
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        place.supervisor.run(&script, &Cancel::new(), &mut |_, _| panic!("on purpose"))
    }));
    assert!(outcome.is_err());
    assert!(!exists(place.pid("pid")));
    assert_eq!(place.records(), 0);
}

/// Starts this test binary as something else, in `home`.
fn play(role: &str, home: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "plays_a_role_when_told", "--nocapture"])
        .env(ROLE, role)
        .env(HOME, home)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("started")
}

/// Not a test of its own: what `play` starts.
#[test]
fn plays_a_role_when_told() {
    let (Some(role), Some(home)) = (std::env::var_os(ROLE), std::env::var_os(HOME).map(PathBuf::from)) else { return };
    match role.to_str() {
        Some("orchestrator") => {
            let marker = format!("test-{}", home.display());
            let supervisor = Supervisor::new(home.join("children"), marker).expect("a supervisor");
            let script =
                "(trap '' TERM; setsid sh -c 'echo $$ > escaped; exec sleep 100' & echo $$ > child; wait; sleep 100)";
            let _ = supervisor.run(&program(&home, &["sh", "-c", script]), &Cancel::new(), &mut |_, _| {});
        }
        Some("holder") => {
            let _lease = lock::acquire(&home.join("lock"), "start").expect("free");
            std::thread::sleep(WAIT_MAX);
        }
        Some("listener") => {
            let signals = StopSignals::install().expect("installed");
            fs::write(home.join("level"), format!("{:?}\n", signals.level())).expect("written");
            let began = Instant::now();
            let mut told = StopLevel::None;
            while began.elapsed() < WAIT_MAX {
                if signals.level() > told {
                    told = signals.level();
                    let text = format!("{told:?} {}\n", signals.last_signal().unwrap_or_default());
                    fs::write(home.join("level"), text).expect("written");
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        other => panic!("no such role: {other:?}"),
    }
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([OsStr::new("-s"), name.as_ref(), child.id().to_string().as_ref()]).status();
    assert!(sent.expect("kill runs").success());
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_killed_orchestrator_left_is_ended() {
    let (_alone, place) = (alone(), Place::new());
    let mut orchestrator = play("orchestrator", place.home.path());
    let (child, escaped) = (place.pid("child"), place.pid("escaped"));
    until(|| (place.records() == 1).then_some(()));
    signal(&orchestrator, "KILL");
    orchestrator.wait().expect("ended");
    assert!(exists(child) && exists(escaped), "they outlive it");
    let leftovers = place.supervisor.end_leftovers().expect("ended");
    let alive = |pid| machine::process_start(pid).is_some_and(|start| machine::is_alive(pid, start));
    assert!(!alive(child) && !alive(escaped));
    for pid in [child, escaped] {
        let leftover = leftovers.iter().find(|leftover| leftover.pid == pid).expect("reported");
        assert_eq!(leftover.label.as_ref().map(|label| label.task.as_str()), Some("T-1"));
        assert_eq!(leftover.program.as_deref(), Some("sh"));
    }
    assert_eq!(place.records(), 0);
    assert_eq!(place.supervisor.end_leftovers().expect("ended"), []);
    assert_eq!(place.sh("exit 0").left_behind, 0, "and its zombies, which are ours now, are reaped");
    assert!(!exists(child) && !exists(escaped));
}

#[cfg(target_os = "linux")]
#[test]
fn a_stranger_with_a_reused_number_is_spared() {
    let (_alone, place) = (alone(), Place::new());
    let mut stranger = Command::new("sleep").arg("100").process_group(0).spawn().expect("started");
    let pid = stranger.id();
    let start = machine::process_start(pid).expect("it runs");
    let write = |start: u64, boot: &str| {
        let record = format!(
            r#"{{"pid":{pid},"pgid":{pid},"start_time":{start},"boot_id":"{boot}","marker":"m:1","label":{{}},"program":"x","started":""}}"#
        );
        fs::write(place.path(&format!("children/{pid}.json")), record).expect("written");
    };
    for (start, boot) in [(start - 1, machine::boot_id()), (start, "another-boot")] {
        write(start, boot);
        assert_eq!(place.supervisor.end_leftovers().expect("looked"), []);
        assert!(machine::is_alive(pid, machine::process_start(pid).expect("it runs")), "{start} {boot}");
        assert_eq!(place.records(), 0, "the record is of no more use");
    }
    fs::write(place.path("children/1.json"), "{cut").expect("written");
    write(start, machine::boot_id());
    assert_eq!(place.supervisor.end_leftovers().expect("looked").len(), 1, "the same process is ended");
    assert!(!stranger.wait().expect("ended").success());
    assert_eq!(place.records(), 0);
}

#[test]
fn children_that_run_here_are_no_leftovers() {
    let (_alone, place) = (alone(), Place::new());
    let script = place.script("echo $$ > pid; while [ ! -e go ]; do sleep 0.01; done; exit 5");
    std::thread::scope(|scope| {
        let running = scope.spawn(|| place.run(&script));
        place.pid("pid");
        until(|| (place.records() == 1).then_some(()));
        assert_eq!(place.supervisor.end_leftovers().expect("looked"), []);
        assert_eq!(place.records(), 1);
        fs::write(place.path("go"), b"").expect("written");
        assert_eq!(running.join().expect("ended").how, How::Exited(5));
    });
}

#[test]
fn a_lock_is_seen_from_outside_and_ends_with_its_holder() {
    let (_alone, place) = (alone(), Place::new());
    let path = place.path("lock");
    let mut holder = play("holder", place.home.path());
    let told = until(|| lock::holder(&path).expect("readable"));
    assert_eq!((told.pid, told.command.as_str()), (holder.id(), "start"));
    assert!(
        matches!(lock::acquire(&path, "resume"), Err(lock::LockError::Held { holder: Some(held) }) if held == told)
    );
    signal(&holder, "KILL");
    holder.wait().expect("ended");
    assert_eq!(lock::holder(&path).expect("readable"), None);
    drop(lock::acquire(&path, "resume").expect("free"));
}

#[test]
fn signals_ask_twice_and_end_the_third_time() {
    let (_alone, place) = (alone(), Place::new());
    let mut listener = play("listener", place.home.path());
    let level = |wanted: &str| until(|| fs::read_to_string(place.path("level")).ok().filter(|level| level == wanted));
    level("None\n");
    signal(&listener, "INT");
    level("Finish 2\n");
    signal(&listener, "TERM");
    level("Now 15\n");
    signal(&listener, "INT");
    assert_eq!(listener.wait().expect("ended").code(), Some(130));
}

/// Answers each line by a table and says farewell with a word.
struct Script<'a> {
    answers: &'a [(&'a str, &'a str)],
    heard: Vec<String>,
    cancel: Cancel,
}

impl Conversation for Script<'_> {
    fn line(&mut self, _: Source, line: &[u8], say: &mut Say) {
        let line = String::from_utf8_lossy(line).into_owned();
        match self.answers.iter().find(|(heard, _)| *heard == line).map(|(_, answer)| *answer) {
            Some("close") => say.close(),
            Some("cancel") => self.cancel.cancel(),
            Some(answer) => say.bytes(format!("{answer}\n").as_bytes()),
            None => {}
        }
        self.heard.push(line);
    }

    fn farewell(&mut self, why: How, say: &mut Say) {
        say.bytes(format!("bye {why:?}\n").as_bytes());
    }
}

fn converse(place: &Place, script: &str, answers: &[(&str, &str)]) -> (Ended, Vec<String>) {
    let mut program = place.script(script);
    program.stdin = b"hello\n".to_vec();
    let mut talk = Script { answers, heard: Vec::new(), cancel: Cancel::new() };
    let cancel = talk.cancel.clone();
    let ended = place.supervisor.converse(&program, &cancel, &mut talk).expect("started");
    (ended, talk.heard)
}

#[test]
fn a_child_is_talked_with_until_it_is_told_that_this_was_all() {
    let _others = among_others();
    let place = Place::new();
    let echo = "while read line; do echo \"got $line\"; done; echo end; exit 4";
    let answers = [("got hello", "one"), ("got one", "two"), ("got two", "close")];
    let (ended, heard) = converse(&place, echo, &answers);
    assert_eq!((ended.how, heard.join(",").as_str()), (How::Exited(4), "got hello,got one,got two,end"));
}

#[test]
fn a_child_that_stays_after_its_conversation_is_ended() {
    let _others = among_others();
    let place = Place::new();
    let (ended, _) = converse(&place, "read line; echo got; exec sleep 60", &[("got", "close")]);
    assert_eq!(ended.how, How::Signaled(15));
}

#[test]
fn a_child_is_told_to_stop_before_it_is_asked_to() {
    let _others = among_others();
    let place = Place::new();
    let script = "trap 'echo killed; exit 1' TERM; read line; echo ready; read line; echo \"$line\"; exit 0";
    let (ended, heard) = converse(&place, script, &[("ready", "cancel")]);
    assert_eq!((ended.how, heard.join(",").as_str()), (How::Cancelled, "ready,bye Cancelled"));
    let (ended, heard) = converse(&place, "read line; echo ready; exec sleep 60", &[("ready", "cancel")]);
    assert_eq!((ended.how, heard.join(",").as_str()), (How::Cancelled, "ready"));
}

#[test]
fn a_child_that_reads_nothing_is_not_waited_for() {
    let _others = among_others();
    let place = Place::new();
    let much = "x".repeat(1 << 20);
    let (ended, heard) = converse(&place, "echo a; echo b; sleep 0.2; echo c", &[("a", &much), ("b", &much)]);
    assert_eq!((ended.how, heard.len()), (How::Exited(0), 3));
}
