//! What is taken from a slot is what `git add -A` would take: random edits, git as the judge.

use std::{fs, path::PathBuf};

use crate::kit::{Dice, POLICY, Sandbox, git_in, link, make_executable, status, step, tree_by_git, write};

const SEEDS: u64 = 12;
const ROUNDS: usize = 4;

fn text(dice: &mut Dice) -> String {
    let end = if dice.below(3) == 0 { "\r\n" } else { "\n" };
    (0..dice.below(9) + 1).map(|line| format!("line {line} {}{end}", dice.below(1000))).collect()
}

fn start(dice: &mut Dice) -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.git(&["config", "filter.rot.clean", "tr a-z b-za"]);
    sandbox.git(&["config", "filter.rot.smudge", "tr b-za a-z"]);
    if dice.below(3) == 0 {
        let value = *dice.pick(&["true", "input"]);
        sandbox.git(&["config", "core.autocrlf", value]);
    }
    sandbox.write(
        ".gitattributes",
        "*.txt text=auto\n*.crlf text eol=crlf\n*.rot filter=rot\n*.bin binary\n*.id ident\n\
         *.u16 text working-tree-encoding=UTF-16LE\n",
    );
    sandbox.write(".gitignore", "*.o\nbuild/\n/top.log\n!keep.o\n");
    for at in 0..24 {
        let kind = dice.pick(&["txt", "rs", "crlf", "rot", "id"]);
        let text = text(dice);
        sandbox.write(&format!("d{}/s{}/f{at}.{kind}", at % 4, at % 3), text);
    }
    link(&sandbox.path().join("lnk"), "d0");
    sandbox.write("run.sh", "#!/bin/sh\n");
    make_executable(&sandbox.path().join("run.sh"));
    sandbox.write("d0/tracked.o", "x");
    sandbox.git(&["add", "-A"]);
    sandbox.git(&["add", "-f", "d0/tracked.o"]);
    sandbox.git(&["commit", "-qm", "start"]);
    sandbox
}

fn edit(dir: &std::path::Path, dice: &mut Dice) -> String {
    let listed = git_in(dir, &["ls-files", "-z"]);
    let edited = |path: &&str| !path.is_empty() && !path.ends_with(".gitattributes") && !path.ends_with(".u16");
    let files: Vec<&str> = listed.split('\0').filter(edited).collect();
    let mut done = Vec::new();
    // git reads young files again when its index is touched under new attributes, and finds changes that nobody made.
    let with_attributes = dice.below(4) == 0;
    for _ in 0..dice.below(8) + 1 {
        let what = *dice.pick(&[
            "edit",
            "edit",
            "edit",
            "new",
            "new",
            "delete",
            "chmod",
            "link",
            "file to dir",
            "dir to file",
            "ignored",
            "not ignored",
            "tracked and ignored",
            "other ends",
            "odd name",
            "not utf-8",
            "empty dir",
            "intent",
            "filtered",
            "ident",
            "attributes",
            "ignore file",
            "same size",
            "rename",
            "binary",
            "utf-16",
            "link to dir",
            "lost dir",
            "move dir",
            "deep dir",
            "touch",
            "stage",
            "stage all",
            "unstage",
            "forced",
        ]);
        let file = dir.join(dice.pick(&files));
        let plain = file.is_file() && !file.is_symlink();
        let number = dice.below(1000);
        let at = |path: String| -> PathBuf { dir.join(path) };
        done.push(format!("{what} {}", file.display()));
        let body = text(dice);
        // Edits may get in each other's way: a directory that became a file takes no new files.
        let put = |path: PathBuf, bytes: &[u8]| {
            if fs::create_dir_all(path.parent().unwrap()).is_ok() && !path.is_dir() && !path.is_symlink() {
                let _ = fs::write(path, bytes);
            }
        };
        match what {
            "edit" if plain => put(file, body.as_bytes()),
            "new" => put(
                at(format!("d{}/n{number}.{}", dice.below(5), dice.pick(&["txt", "crlf", "rot", "rs"]))),
                body.as_bytes(),
            ),
            "delete" => drop(fs::remove_file(file)),
            "chmod" if plain => make_executable(&file),
            "link" if plain => {
                fs::remove_file(&file).unwrap();
                link(&file, "x");
            }
            "file to dir" if plain => {
                fs::remove_file(&file).unwrap();
                put(file.join("inner.txt"), b"i\n");
            }
            "dir to file" => {
                let path = at(format!("d{}", dice.below(4)));
                if path.is_dir() {
                    fs::remove_dir_all(&path).unwrap();
                    put(path, b"now a file\n");
                }
            }
            "ignored" => {
                put(at("a.o".into()), b"x");
                put(at("build/x".into()), b"y");
                put(at("d1/build/z.txt".into()), b"q");
            }
            "not ignored" => {
                put(at("keep.o".into()), b"x");
                put(at("d2/keep.o".into()), b"y");
                put(at("top.log".into()), b"z");
            }
            "tracked and ignored" => put(at("d0/tracked.o".into()), body.as_bytes()),
            "other ends" if plain => {
                let text = fs::read_to_string(&file).unwrap_or_default();
                put(file, text.replace("\r\n", "\n").replace('\n', "\r\n").as_bytes());
            }
            "odd name" => put(at(format!("we ird/\"q\"\t{}\n.txt", number % 9)), b"w\n"),
            "not utf-8" => {
                use std::os::unix::ffi::OsStrExt;
                put(dir.join("nu").join(std::ffi::OsStr::from_bytes(&[0xff, 0xfe, b'a' + (number % 9) as u8])), b"n\n");
            }
            "empty dir" => drop(fs::create_dir_all(at("emptyd/x".into()))),
            "intent" if !with_attributes => {
                put(at(format!("ita{}.txt", number % 9)), b"i\n");
                git_in(dir, &["add", "-N", "."]);
            }
            "filtered" => put(at(format!("r{}.rot", number % 9)), b"secret abc\n"),
            "ident" => put(at(format!("i{}.id", number % 9)), b"$Id: abc$ x\n"),
            "attributes" if with_attributes => {
                let more = *dice.pick(&["*.rs text eol=crlf\n", "*.txt -text\n", "*.new filter=rot\n"]);
                let now = fs::read_to_string(at(".gitattributes".into())).unwrap_or_default();
                put(at(".gitattributes".into()), format!("{now}{more}").as_bytes());
                put(at("zz.rs".into()), b"a\r\nb\r\n");
            }
            "ignore file" => {
                put(at(format!("d{}/.gitignore", dice.below(4))), dice.pick(&["*.rs\n", "!*.o\n", "n*\n"]).as_bytes());
                put(at("d1/q.o".into()), b"1");
                put(at("d2/x.rs".into()), b"2");
            }
            "same size" if plain && !with_attributes => {
                let mut bytes = fs::read(&file).unwrap();
                if let Some(first) = bytes.first_mut() {
                    *first = b'A' + (number % 26) as u8;
                    put(file, &bytes);
                }
            }
            "rename" if plain => drop(fs::rename(file, at(format!("ren{number}.txt")))),
            "binary" => put(at(format!("b{}.bin", number % 9)), &(0..=255).collect::<Vec<u8>>()),
            "utf-16" => put(
                at(format!("u{}.u16", number % 9)),
                &"hello\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
            ),
            "link to dir" if !at("sd".into()).is_symlink() => link(&at("sd".into()), "d1"),
            "move dir" => {
                let _ = fs::rename(at(format!("d{}", dice.below(4))), at(format!("d{}", dice.below(3) + 4)));
            }
            "deep dir" => put(at(format!("d{}/deep/{number}/x/y.txt", dice.below(6))), body.as_bytes()),
            "lost dir" => drop(fs::remove_dir_all(at(format!("d{}", dice.below(4))))),
            "touch" if plain && !with_attributes => {
                let bytes = fs::read(&file).unwrap();
                put(file, &bytes);
            }
            "stage" if plain && !with_attributes => drop(git_in(dir, &["add", "--", file.to_str().unwrap_or(".")])),
            "stage all" if !with_attributes => drop(git_in(dir, &["add", "-A"])),
            "unstage" if !with_attributes => drop(git_in(dir, &["reset", "-q"])),
            "forced" if !with_attributes => {
                put(at("f.o".into()), b"forced\n");
                if at("f.o".into()).is_file() {
                    git_in(dir, &["add", "-f", "f.o"]);
                }
            }
            _ => {}
        }
    }
    done.join("; ")
}

#[test]
fn what_is_taken_is_what_git_would_add() {
    for seed in 0..SEEDS {
        let mut dice = Dice::new(seed + 1);
        let sandbox = start(&mut dice);
        let repository = sandbox.repository();
        let mut slot = sandbox.slot("w1");
        assert_eq!(status(&slot), "", "seed {seed}");
        let mut tip = None;
        for round in 0..ROUNDS {
            let before = slot.tree();
            let done = edit(slot.path(), &mut dice);
            let wanted = tree_by_git(&slot);
            if round % 2 == 1 {
                assert!(slot.full_check().unwrap(), "seed {seed} round {round}: the watch missed something: {done}");
            }
            let commit = step(&repository, &mut slot, "refs/heads/orchestrate/task/api", tip);
            tip = Some(commit);
            let got = repository.root_tree(commit).unwrap().to_string();
            let differ = || sandbox.git(&["diff-tree", "-r", &wanted, &got]);
            assert_eq!(got, wanted, "seed {seed} round {round}: {done}\n{}", differ());
            slot.flush().unwrap();
            if repository
                .changed_paths(before, repository.root_tree(commit).unwrap())
                .unwrap()
                .iter()
                .any(|c| c.path == ".gitattributes")
            {
                // Under other attributes git sees changes in young files that nobody changed.
                break;
            }
            assert_eq!(status(&slot), "", "seed {seed} round {round}: {done}");
            assert_eq!(git_in(slot.path(), &["write-tree"]), wanted, "seed {seed} round {round}: {done}");
        }
        sandbox.check();
    }
}

#[test]
fn a_change_in_the_same_instant_and_of_the_same_size_is_seen() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository();
    let mut slot = sandbox.slot("w1");
    let mut tip = None;
    for round in 0..40u8 {
        write(&slot.path().join("README"), [b'a' + round % 20; 6]);
        let commit = step(&repository, &mut slot, "refs/heads/orchestrate/task/api", tip);
        tip = Some(commit);
        assert_eq!(repository.read(commit, "README").unwrap().unwrap(), [b'a' + round % 20; 6], "round {round}");
    }
}

#[test]
fn an_encoding_is_kept_by_a_switch() {
    let sandbox = Sandbox::new();
    let first = sandbox.repository().resolve("HEAD").unwrap();
    let utf16: Vec<u8> = "höllo\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    sandbox.write(".gitattributes", "*.u16 text working-tree-encoding=UTF-16LE\n");
    sandbox.write("a.u16", &utf16);
    let second = sandbox.commit("encoded");
    let mut slot = sandbox.slots().get("w1", first).unwrap();
    slot.switch(second).unwrap();
    assert_eq!(fs::read(slot.path().join("a.u16")).unwrap(), utf16);
    assert_eq!(status(&slot), "");
    let repository = sandbox.repository();
    let mut draft = repository.draft();
    assert_eq!(slot.take(&mut draft, &POLICY).unwrap().changed, []);
}

#[test]
fn without_attributes_files_are_taken_as_they_are() {
    let sandbox = Sandbox::empty();
    sandbox.git(&["config", "filter.rot.clean", "tr a-z b-za"]);
    sandbox.write(".gitattributes", "*.rot filter=rot\n");
    sandbox.write("a.rot", "abc\n");
    sandbox.write("b.rot", "abc\n");
    sandbox.commit("start");
    let repository = sandbox.repository();
    let mut slot = sandbox.slot("w1");
    fs::remove_file(slot.path().join(".gitattributes")).unwrap();
    write(&slot.path().join("a.rot"), "abcd\n");
    let commit = step(&repository, &mut slot, "refs/heads/orchestrate/task/api", None);
    assert_eq!(repository.read(commit, "a.rot").unwrap().unwrap(), b"abcd\n");
    assert_eq!(repository.read(commit, "b.rot").unwrap().unwrap(), b"bcd\n", "nobody touched it");
}
