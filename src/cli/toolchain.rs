//! Finds out how a project is tested, by the files at its root.
//! Runs nothing and changes nothing; knows nothing of gates beyond a name and a command for each check.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{config::setup_command::SetupCommand, sys};

/// Bytes of a file that is looked into at most.
const FILE_BYTES_MAX: usize = 1 << 20;
/// Names in the project's root that are looked at, at most.
const ROOT_NAMES_MAX: usize = 4096;

/// A command that the gate can run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCheck {
    /// A short name.
    pub name: String,
    /// For `sh -c`.
    pub run: String,
    /// The file that told; none: a person did.
    pub because: Option<String>,
}

/// What a project's files tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Toolchain {
    /// The checks, quick ones first.
    pub checks: Vec<FoundCheck>,
    /// Commands that make a fresh worktree fit for them.
    pub setup: Vec<SetupCommand>,
    /// Directories of the user's checkout that they need.
    pub link: Vec<String>,
}

struct Project<'a> {
    root: &'a Path,
    names: Vec<String>,
    is_on_path: &'a dyn Fn(&str) -> bool,
    found: Toolchain,
    tests: Vec<FoundCheck>,
}

/// What the files at `root` tell. `is_on_path` says whether a program is there.
pub fn detect(root: &Path, is_on_path: &dyn Fn(&str) -> bool) -> Toolchain {
    let names = std::fs::read_dir(root).into_iter().flatten().take(ROOT_NAMES_MAX);
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    let mut project = Project { root, names, is_on_path, found: Toolchain::default(), tests: Vec::new() };
    if project.has(".gitmodules") {
        project.found.setup.push(SetupCommand::alone("git submodule update --init --recursive"));
    }
    project.rust();
    project.javascript();
    project.python();
    project.others();
    if project.tests.is_empty() {
        project.make();
    }
    let Project { mut found, tests, .. } = project;
    // Two toolchains in one project: the second test is told apart by its program.
    for test in tests {
        let is_taken = found.checks.iter().any(|check| check.name == test.name);
        let program = test.run.split_whitespace().next().unwrap_or("tests").trim_start_matches("./").to_owned();
        found.checks.push(if is_taken {
            FoundCheck { name: format!("{}-{program}", test.name), ..test }
        } else {
            test
        });
    }
    found
}

impl Project<'_> {
    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|found| found == name)
    }

    fn first_of(&self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| self.has(name))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn read(&self, name: &str) -> String {
        if !self.has(name) {
            return String::new();
        }
        let bytes = sys::file::read_limited(&self.path(name), FILE_BYTES_MAX).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn test(&mut self, run: impl Into<String>, because: &str) {
        self.tests.push(FoundCheck { name: "tests".to_owned(), run: run.into(), because: Some(because.to_owned()) });
    }

    fn lint(&mut self, name: &str, run: impl Into<String>, because: &str) {
        self.found.checks.push(FoundCheck {
            name: name.to_owned(),
            run: run.into(),
            because: Some(because.to_owned()),
        });
    }

    fn rust(&mut self) {
        if !self.has("Cargo.toml") {
            return;
        }
        if let Some(because) = self.first_of(&["rustfmt.toml", ".rustfmt.toml"]) {
            self.lint("format", "cargo fmt --all --check", because);
        }
        let is_workspace = self.read("Cargo.toml").lines().any(|line| line.trim() == "[workspace]");
        self.test(if is_workspace { "cargo test --workspace" } else { "cargo test" }, "Cargo.toml");
    }

    fn javascript(&mut self) {
        if let Some(because) = self.first_of(&["deno.json", "deno.jsonc"]) {
            self.test("deno test", because);
            return;
        }
        let Ok(package) = serde_json::from_str::<Value>(&self.read("package.json")) else { return };
        let named = package["packageManager"].as_str().and_then(|named| named.split('@').next());
        let locks = [
            ("pnpm-lock.yaml", "pnpm", "pnpm install --frozen-lockfile"),
            ("yarn.lock", "yarn", "yarn install --frozen-lockfile"),
            ("bun.lock", "bun", "bun install --frozen-lockfile"),
            ("bun.lockb", "bun", "bun install --frozen-lockfile"),
            ("package-lock.json", "npm", "npm ci"),
            ("npm-shrinkwrap.json", "npm", "npm ci"),
        ];
        let lock = locks.iter().find(|(file, ..)| self.has(file));
        let known = ["pnpm", "yarn", "bun", "npm"];
        let manager = named.filter(|named| known.contains(named)).or(lock.map(|(_, manager, _)| *manager));
        let manager = manager.unwrap_or("npm");
        let script = |name: &str| package["scripts"][name].as_str().filter(|script| !script.trim().is_empty());
        if script("lint").is_some() {
            self.lint("lint", format!("{manager} run lint"), "package.json");
        }
        match script("test") {
            // What `npm init` writes fails always.
            Some(script) if !script.contains("no test specified") => {
                let run = if manager == "bun" { "bun run test".to_owned() } else { format!("{manager} test") };
                self.test(run, "package.json");
            }
            Some(_) | None => {}
        }
        if let Some((_, _, install)) = lock.filter(|(_, its, _)| *its == manager) {
            self.found.setup.push(SetupCommand::making(*install, "node_modules"));
        }
    }

    fn python(&mut self) {
        let told = ["pyproject.toml", "setup.cfg", "tox.ini", "requirements.txt", "requirements-dev.txt"];
        let names_pytest = told.into_iter().find(|name| self.read(name).contains("pytest"));
        let is_python = self.first_of(&["pyproject.toml", "setup.py", "setup.cfg", "requirements.txt"]);
        let has_tests = ["tests", "test"].into_iter().find(|name| {
            let entries = std::fs::read_dir(self.path(name)).into_iter().flatten().take(ROOT_NAMES_MAX);
            entries.flatten().any(|entry| entry.file_name().to_string_lossy().ends_with(".py"))
        });
        let beside = || self.names.iter().find(|name| name.starts_with("test_") && name.ends_with(".py")).cloned();
        let because = self.first_of(&["pytest.ini", "conftest.py"]).or(names_pytest).or(has_tests);
        let Some(because) = because.map(str::to_owned).or_else(beside) else { return };
        let pyproject = self.read("pyproject.toml");
        if pyproject.contains("[tool.ruff") && (self.is_on_path)("ruff") {
            self.lint("lint", "ruff check .", "pyproject.toml");
        }
        let runner = [("uv.lock", "uv run "), ("poetry.lock", "poetry run "), ("pdm.lock", "pdm run ")];
        let runner = runner.into_iter().find(|(lock, _)| self.has(lock)).map(|(_, runner)| runner);
        let has_environment = self.path(".venv/bin/python").exists();
        if runner.is_none() && has_environment {
            self.found.link.push(".venv".to_owned());
        }
        let run = match runner {
            Some(runner) => format!("{runner}pytest"),
            None if has_environment => ".venv/bin/python -m pytest".to_owned(),
            None if is_python.is_some() && self.has("Pipfile.lock") => "pipenv run pytest".to_owned(),
            None if (self.is_on_path)("python") || !(self.is_on_path)("python3") => "python -m pytest".to_owned(),
            None => "python3 -m pytest".to_owned(),
        };
        self.test(run, &because);
    }

    fn others(&mut self) {
        if self.has("go.mod") {
            self.test("go test ./...", "go.mod");
        }
        if self.has("pom.xml") {
            self.test(if self.has("mvnw") { "./mvnw -q test" } else { "mvn -q test" }, "pom.xml");
        } else if let Some(because) = self.first_of(&["build.gradle", "build.gradle.kts"]) {
            self.test(if self.has("gradlew") { "./gradlew test" } else { "gradle test" }, because);
        } else if self.has("build.sbt") {
            self.test("sbt test", "build.sbt");
        }
        if self.has("Gemfile") {
            if let Some(because) = self.first_of(&[".rspec", "spec"]) {
                self.test("bundle exec rspec", because);
            } else if self.has("Rakefile") {
                self.test("bundle exec rake test", "Rakefile");
            }
        }
        if let Some(because) = self.first_of(&["phpunit.xml", "phpunit.xml.dist"]) {
            self.test("vendor/bin/phpunit", because);
            if self.has("composer.lock") {
                self.found.setup.push(SetupCommand::making("composer install --no-interaction", "vendor"));
            }
        }
        let is_dotnet = |name: &&String| [".sln", ".slnx", ".csproj", ".fsproj"].iter().any(|end| name.ends_with(end));
        if let Some(because) = self.names.iter().find(is_dotnet).cloned() {
            self.test("dotnet test", &because);
        }
        for (file, run) in [
            ("mix.exs", "mix test"),
            ("Package.swift", "swift test"),
            ("dune-project", "dune test"),
            ("build.zig", "zig build test"),
            ("gleam.toml", "gleam test"),
            ("rebar.config", "rebar3 eunit"),
            ("stack.yaml", "stack test"),
            ("cabal.project", "cabal test all"),
        ] {
            if self.has(file) {
                self.test(run, file);
            }
        }
        if self.has("pubspec.yaml") {
            let is_flutter = self.read("pubspec.yaml").contains("sdk: flutter");
            self.test(if is_flutter { "flutter test" } else { "dart test" }, "pubspec.yaml");
        }
    }

    /// What people type where no toolchain has a word of its own for it.
    fn make(&mut self) {
        for (files, program) in
            [(&["GNUmakefile", "makefile", "Makefile"][..], "make"), (&["justfile", "Justfile", ".justfile"], "just")]
        {
            let Some(file) = self.first_of(files) else { continue };
            let body = self.read(file);
            if let Some(target) = ["test", "check"].into_iter().find(|target| has_target(&body, target)) {
                self.test(format!("{program} {target}"), file);
                return;
            }
        }
    }
}

/// Whether a makefile or a justfile has this target or recipe.
fn has_target(body: &str, target: &str) -> bool {
    body.lines().any(|line| {
        // `test: lib`, `test fast: lib`, `test arg='x':`, but not `test := x`, nor a recipe's indented line.
        let Some((names, rest)) = line.split_once(':') else { return false };
        !line.starts_with(char::is_whitespace)
            && !rest.starts_with('=')
            && names.split_whitespace().any(|name| name.trim_start_matches('@') == target)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes the files, each a path and its content, and compares what is found: `name: command (file)`, then `setup: …`.
    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let home = tempfile::tempdir().expect("a directory");
        for (path, content) in files {
            let path = home.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a file has a parent")).expect("made");
            std::fs::write(path, content).expect("written");
        }
        let found = detect(home.path(), &|program| program != "python");
        let line = |check: &FoundCheck| {
            format!("{}: {} ({})", check.name, check.run, check.because.as_deref().unwrap_or_default())
        };
        let mut lines: Vec<_> = found.checks.iter().map(line).collect();
        lines.extend(found.setup.iter().map(|setup| format!("setup: {}", setup.run)));
        lines.extend(found.link.iter().map(|link| format!("link: {link}")));
        assert_eq!(lines, expected, "{files:?}");
    }

    #[test]
    fn each_kind_of_project_is_known_by_its_files() {
        check(&[], &[]);
        check(&[("Cargo.toml", "[package]")], &["tests: cargo test (Cargo.toml)"]);
        check(
            &[("Cargo.toml", "[workspace]\nmembers = []"), ("rustfmt.toml", "")],
            &["format: cargo fmt --all --check (rustfmt.toml)", "tests: cargo test --workspace (Cargo.toml)"],
        );
        check(
            &[("go.mod", "module x"), (".gitmodules", "")],
            &["tests: go test ./... (go.mod)", "setup: git submodule update --init --recursive"],
        );
        check(&[("go.mod", "module x")], &["tests: go test ./... (go.mod)"]);
        check(&[("pom.xml", "")], &["tests: mvn -q test (pom.xml)"]);
        check(&[("build.gradle.kts", ""), ("gradlew", "")], &["tests: ./gradlew test (build.gradle.kts)"]);
        check(&[("Gemfile", ""), ("spec/a_spec.rb", "")], &["tests: bundle exec rspec (spec)"]);
        check(&[("Gemfile", ""), ("Rakefile", "")], &["tests: bundle exec rake test (Rakefile)"]);
        check(&[("mix.exs", "")], &["tests: mix test (mix.exs)"]);
        check(&[("deno.json", "{}")], &["tests: deno test (deno.json)"]);
        check(&[("app.csproj", "")], &["tests: dotnet test (app.csproj)"]);
        check(&[("pubspec.yaml", "sdk: flutter")], &["tests: flutter test (pubspec.yaml)"]);
    }

    #[test]
    fn scripts_of_javascript_go_by_the_lock_file() {
        let package = r#"{"scripts": {"test": "vitest", "lint": "eslint ."}}"#;
        let lint = |manager: &str| format!("lint: {manager} run lint (package.json)");
        for (lock, manager, test, setup) in [
            ("package-lock.json", "npm", "npm test", "npm ci"),
            ("pnpm-lock.yaml", "pnpm", "pnpm test", "pnpm install --frozen-lockfile"),
            ("yarn.lock", "yarn", "yarn test", "yarn install --frozen-lockfile"),
            ("bun.lock", "bun", "bun run test", "bun install --frozen-lockfile"),
        ] {
            let (test, setup) = (format!("tests: {test} (package.json)"), format!("setup: {setup}"));
            check(&[("package.json", package), (lock, "")], &[&lint(manager), &test, &setup]);
        }
        let initial = r#"{"scripts": {"test": "echo \"Error: no test specified\" && exit 1"}}"#;
        check(&[("package.json", initial)], &[]);
        check(&[("package.json", "not JSON")], &[]);
        check(
            &[("package.json", r#"{"packageManager": "pnpm@9.0.0", "scripts": {"test": "x"}}"#)],
            &["tests: pnpm test (package.json)"],
        );
    }

    #[test]
    fn python_is_tested_by_pytest() {
        check(&[("pytest.ini", "")], &["tests: python3 -m pytest (pytest.ini)"]);
        check(&[("pyproject.toml", "[project]"), ("tests/test_a.py", "")], &["tests: python3 -m pytest (tests)"]);
        check(&[("test_it.py", "")], &["tests: python3 -m pytest (test_it.py)"]);
        check(
            &[("pyproject.toml", "[tool.ruff]\n[tool.pytest.ini_options]"), ("uv.lock", "")],
            &["lint: ruff check . (pyproject.toml)", "tests: uv run pytest (pyproject.toml)"],
        );
        check(
            &[("pytest.ini", ""), (".venv/bin/python", "")],
            &["tests: .venv/bin/python -m pytest (pytest.ini)", "link: .venv"],
        );
        check(&[("tests/run.sh", "")], &[]);
    }

    #[test]
    fn make_is_asked_where_nothing_else_is_known() {
        check(&[("Makefile", "all:\n\ttrue\ntest: all\n\ttrue\n")], &["tests: make test (Makefile)"]);
        check(&[("Makefile", "check lint::\n\ttrue\n")], &["tests: make check (Makefile)"]);
        check(&[("Makefile", "test := x\n\ttest: no\n.PHONY: test\n")], &[]);
        check(&[("justfile", "test filter='':\n  true\n")], &["tests: just test (justfile)"]);
        check(&[("Makefile", "test:\n"), ("go.mod", "")], &["tests: go test ./... (go.mod)"]);
    }

    #[test]
    fn two_toolchains_give_two_checks() {
        check(
            &[("Cargo.toml", ""), ("package.json", r#"{"scripts": {"test": "x"}}"#)],
            &["tests: cargo test (Cargo.toml)", "tests-npm: npm test (package.json)"],
        );
    }
}
