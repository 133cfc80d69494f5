//! Reading what is there, and making objects that git accepts.

use git_orchestrate::{
    config::settings::Durability,
    git::{
        AllowedSigners, ChangeKind, CommitDraft, Edit, EntryKind, GitError, Repository, SignatureState, Signer, What,
        When,
    },
    model::object::BlobId,
};

use crate::kit::{Sandbox, command, commit_of, git_with, identity};

#[test]
fn what_is_there_is_read() {
    let sandbox = Sandbox::new();
    let first = sandbox.repository().resolve("HEAD").unwrap();
    sandbox.write("src/two.rs", "two\n");
    let second = sandbox.commit("second\n\nbody");
    let repository = sandbox.repository();
    let head = repository.head().unwrap();
    assert_eq!((head.branch.as_deref(), head.commit), (Some("refs/heads/main"), Some(second)));
    assert_eq!(repository.resolve("main~1"), Some(first));
    assert_eq!(repository.resolve("nothing"), None);
    assert_eq!(repository.identity().unwrap(), identity());
    assert_eq!(repository.read(second, "src/two.rs").unwrap().unwrap(), b"two\n");
    assert_eq!(repository.read(first, "src/two.rs").unwrap(), None);
    assert_eq!(repository.read(first, "src").unwrap(), None);
    let names: Vec<_> = repository.list(second, "src").unwrap().into_iter().map(|e| (e.name, e.kind)).collect();
    let file = |name: &str| (name.to_owned(), EntryKind::File);
    assert_eq!(names, [("deep".to_owned(), EntryKind::Directory), file("lib.rs"), file("two.rs")]);
    assert_eq!(repository.message(second).unwrap(), "second\n\nbody\n");
    assert_eq!(repository.parents(second).unwrap(), [first]);
    assert_eq!(repository.first_parents(second, None).unwrap(), [second, first]);
    assert_eq!(repository.first_parents(second, Some(first)).unwrap(), [second]);
    assert!(repository.is_ancestor(first, second).unwrap());
    assert!(!repository.is_ancestor(second, first).unwrap());
    let changed = repository.changed_paths(repository.root_tree(first).unwrap(), repository.root_tree(second).unwrap());
    let changed: Vec<_> = changed.unwrap().into_iter().map(|c| (c.path, c.kind)).collect();
    assert_eq!(changed, [("src/two.rs".to_owned(), ChangeKind::Added)]);
    assert_eq!(repository.unsupported(), None);
}

#[test]
fn it_is_found_from_a_subdirectory_a_linked_worktree_and_when_bare() {
    let sandbox = Sandbox::new();
    let linked = sandbox.outside("linked");
    sandbox.git(&["worktree", "add", "-q", linked.to_str().unwrap()]);
    let bare = sandbox.outside("bare.git");
    sandbox.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    let common = std::fs::canonicalize(sandbox.path().join(".git")).unwrap();
    let below = Repository::discover(&sandbox.path().join("src/deep")).unwrap();
    assert_eq!((below.common_dir(), below.git_dir()), (&*common, &*common));
    let there = Repository::discover(&linked).unwrap();
    assert_eq!((there.common_dir(), there.git_dir()), (&*common, &*common.join("worktrees/linked")));
    assert_eq!(there.head().unwrap().branch.as_deref(), Some("refs/heads/linked"));
    let bare = Repository::discover(&bare).unwrap();
    assert_eq!(bare.work_dir(), None);
    assert!(matches!(Repository::discover(std::path::Path::new("/")), Err(GitError::NoRepository(_))));
}

#[test]
fn what_we_refuse_is_said() {
    let sandbox = Sandbox::new();
    sandbox.git(&["config", "extensions.partialClone", "origin"]);
    sandbox.git(&["config", "core.repositoryFormatVersion", "1"]);
    assert!(sandbox.repository().unsupported().unwrap().contains("partial clone"));
}

#[test]
fn trees_are_edited_as_git_would() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository();
    let head = repository.resolve("HEAD").unwrap();
    let mut draft = repository.draft();
    let blob: BlobId = draft.blob(b"new\n").unwrap();
    let put = |path: &str, executable| Edit { path: path.into(), what: What::Put { blob, executable } };
    let remove = |path: &str| Edit { path: path.into(), what: What::Remove };
    let base = repository.root_tree(head).unwrap();
    let edits = [
        put("a/b/c", false),
        put("run", true),
        remove("src/deep/down.txt"),
        remove("README"),
        put("README/inside", false),
        remove("nothing/there"),
    ];
    let tree = draft.tree(Some(base), &edits).unwrap();
    assert_eq!(draft.read(tree, "a/b/c").unwrap().unwrap(), b"new\n");
    let with_dir = draft.tree_at(tree, "a").unwrap().unwrap();
    let moved = draft.tree(None, &[Edit { path: "moved".into(), what: What::PutTree(with_dir) }]).unwrap();
    let commit = commit_of(&mut draft, tree, vec![head], "edited");
    let other = commit_of(&mut draft, moved, vec![head], "moved");
    assert!(repository.read(commit, "run").is_err(), "a draft is nobody else's");
    repository.publish(draft.objects(), Vec::new(), Durability::Full).unwrap();
    let listed = sandbox.git(&["ls-tree", "-r", "--name-only", &commit.to_string()]);
    assert_eq!(listed, "README/inside\na/b/c\nrun\nsrc/lib.rs");
    assert_eq!(sandbox.git(&["ls-tree", "-r", "--name-only", &other.to_string()]), "moved/b/c");
    assert_eq!(repository.files(tree).unwrap().len(), 4);
    sandbox.check();
    for bad in ["", "a//b", "../x", ".git/config", "a/.GIT/b"] {
        assert!(matches!(draft.tree(Some(base), &[put(bad, false)]), Err(GitError::BadPath(_))), "{bad}");
    }
}

#[test]
fn the_code_tree_has_no_handoff_and_its_commit_is_made_once() {
    let sandbox = Sandbox::new();
    let plain = sandbox.repository().resolve("HEAD").unwrap();
    sandbox.write(".handoff/config.toml", "version = 1\n");
    let with = sandbox.commit("with");
    let repository = sandbox.repository();
    let code = repository.code_tree(with).unwrap();
    assert_eq!(code, repository.root_tree(plain).unwrap());
    let mut draft = repository.draft();
    assert_eq!(draft.code_tree(with).unwrap(), code);
    let commit = draft.code_commit(code, with).unwrap();
    assert_eq!(repository.draft().code_commit(code, with).unwrap(), commit);
    repository.publish(draft.objects(), Vec::new(), Durability::Os).unwrap();
    assert_eq!(repository.parents(commit).unwrap(), [with]);
    assert_eq!(repository.list(commit, "").unwrap().len(), 2);
}

#[test]
fn git_accepts_our_signatures_and_we_accept_what_git_signs() {
    let sandbox = Sandbox::new();
    let key = sandbox.outside("keys/signing");
    let signer = Signer::create_own(&key, "tess").unwrap();
    let line = format!("tess@example.com {}\n", signer.public_key_line().unwrap());
    let allowed_file = sandbox.outside("allowed_signers");
    std::fs::write(&allowed_file, &line).unwrap();
    let allowed = AllowedSigners::parse(&line).unwrap();
    let repository = sandbox.repository();
    let head = repository.resolve("HEAD").unwrap();
    let mut draft = repository.draft();
    let mut parent = head;
    for message in ["one line", "subject\n\nbody\n\nTrailer: x", "ünïcode\n\n\n\ntrailing\n\n"] {
        let commit = CommitDraft {
            tree: repository.root_tree(head).unwrap(),
            parents: vec![parent],
            author: identity(),
            committer: identity(),
            message: message.into(),
            time: When::now(),
        };
        parent = draft.commit(commit, Some(&signer)).unwrap();
    }
    repository.publish(draft.objects(), Vec::new(), Durability::Full).unwrap();
    let allowed_setting = format!("gpg.ssh.allowedSignersFile={}", allowed_file.display());
    for commit in repository.first_parents(parent, Some(head)).unwrap() {
        git_with(command(&sandbox.path()).args(["-c", &allowed_setting, "verify-commit", &commit.to_string()]));
        let state = repository.verify(commit, &allowed).unwrap();
        let good = SignatureState::Good { principal: "tess@example.com".into(), fingerprint: signer.fingerprint() };
        assert_eq!(state, good);
    }
    assert_eq!(repository.verify(head, &allowed).unwrap(), SignatureState::Unsigned);
    let key_setting = format!("user.signingKey={}", key.display());
    git_with(command(&sandbox.path()).args([
        "-c",
        "gpg.format=ssh",
        "-c",
        &key_setting,
        "commit",
        "-q",
        "-S",
        "--allow-empty",
        "-m",
        "by git",
    ]));
    let by_git = repository.resolve("HEAD").unwrap();
    assert!(matches!(repository.verify(by_git, &allowed).unwrap(), SignatureState::Good { .. }));
    sandbox.check();
}

#[test]
fn the_users_own_key_is_found_by_gits_settings() {
    let sandbox = Sandbox::new();
    let key = sandbox.outside("id_ed25519");
    let own = Signer::create_own(&key, "tess").unwrap();
    sandbox.git(&["config", "gpg.format", "ssh"]);
    assert!(Signer::from_git(&sandbox.repository()).unwrap_err().hint().is_some());
    for setting in [key.display().to_string(), format!("{}.pub", key.display())] {
        sandbox.git(&["config", "user.signingKey", &setting]);
        let signer = Signer::from_git(&sandbox.repository()).unwrap();
        assert_eq!(signer.fingerprint(), own.fingerprint());
        signer.test(std::time::Duration::from_secs(5)).unwrap();
    }
}

#[test]
fn a_replacement_fools_nobody() {
    let sandbox = Sandbox::new();
    let head = sandbox.repository().resolve("HEAD").unwrap();
    let other = sandbox.git(&["commit-tree", "-m", "forged", "HEAD^{tree}"]);
    sandbox.git(&["replace", &head.to_string(), &other]);
    assert_eq!(sandbox.repository().message(head).unwrap(), "first\n");
}

#[test]
fn a_shallow_history_ends_where_it_was_cut_off() {
    let sandbox = Sandbox::new();
    for message in ["two", "three", "four"] {
        sandbox.commit(message);
    }
    let clone = sandbox.outside("shallow");
    let url = format!("file://{}", sandbox.path().display());
    sandbox.git(&["clone", "-q", "--depth=2", &url, clone.to_str().unwrap()]);
    let repository = Repository::discover(&clone).unwrap();
    let head = repository.resolve("HEAD").unwrap();
    let line = repository.first_parents(head, None).unwrap();
    assert_eq!(line.len(), 2);
    assert!(repository.is_ancestor(line[1], line[0]).unwrap());
    assert!(!repository.is_ancestor(line[0], line[1]).unwrap());
}
