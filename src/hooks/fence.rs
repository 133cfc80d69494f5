//! Lines of ours in a file of somebody else: put in between two marks, and taken out so that not a byte is left.
//! Knows nothing of files; texts go in, texts come out. Both a script of sh and git's settings have comments with `#`.

use super::HookName;

/// The marks. The number is raised when what stands between them is other.
const BEGIN: &str = "# >>> git-orchestrate 1 >>>\n";
/// The same behind text that did not end its last line.
const BEGIN_CUT: &str = "# >>> git-orchestrate 1, behind a line without an end >>>\n";
const END: &str = "# <<< git-orchestrate <<<\n";
/// How the marks of every version begin.
const ANY_BEGIN: &str = "# >>> git-orchestrate ";

/// Behind our lines, where the directory of the hook was not there before.
const MADE: &str = "# git-orchestrate made this directory\n";

/// The interpreters that read what we put in.
const SHELLS: [&str; 7] = ["sh", "bash", "dash", "ash", "ksh", "mksh", "zsh"];

/// What was taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    /// The text without our lines.
    pub rest: String,
    /// What stood between the marks.
    pub lines: String,
}

/// Takes out our lines, of whichever version; none if there are none.
pub(super) fn take_out(text: &str) -> Option<Taken> {
    let begin = text.match_indices(ANY_BEGIN).map(|(at, _)| at).find(|at| *at == 0 || text[..*at].ends_with('\n'))?;
    let inner = begin + text[begin..].find('\n')? + 1;
    let end = text[inner..].find(END).map(|at| inner + at);
    // Somebody took the last mark away: nobody can say what is ours.
    let end = end?;
    let is_cut = text[begin..inner] == *BEGIN_CUT;
    let before = if is_cut { text[..begin].strip_suffix('\n').unwrap_or(&text[..begin]) } else { &text[..begin] };
    let rest = format!("{before}{}", &text[end + END.len()..]);
    Some(Taken { rest, lines: text[inner..end].to_owned() })
}

/// Puts lines at the end.
pub(super) fn append(text: &str, lines: &str) -> String {
    let (begin, gap) = if text.is_empty() || text.ends_with('\n') { (BEGIN, "") } else { (BEGIN_CUT, "\n") };
    format!("{text}{gap}{begin}{lines}{END}")
}

/// Puts our part of a hook behind the first line of somebody's script, before all it does; none if it is not for a shell.
pub(super) fn insert(script: &str, name: HookName) -> Option<String> {
    if !is_for_shell(script) {
        return None;
    }
    let first = if script.starts_with("#!") { script.find('\n').map_or(script.len(), |at| at + 1) } else { 0 };
    let (before, after) = script.split_at(first);
    Some(format!("{}{after}", append(before, &beside(name))))
}

/// Whether what is left of a script does nothing: only what came with ours.
pub(super) fn is_bare(script: &str) -> bool {
    script.strip_suffix(MADE).unwrap_or(script) == "#!/bin/sh\n"
}

/// Whether its directory was made for it.
pub(super) fn made_directory(script: &str) -> bool {
    script.ends_with(MADE)
}

/// A script that is ours alone.
pub(super) fn whole(name: HookName, made_directory: bool) -> String {
    format!("{}{}", name.script(), if made_directory { MADE } else { "" })
}

/// Our lines of a script that is ours alone.
pub(super) fn alone(name: HookName) -> String {
    take_out(name.script()).expect("the scripts that ship have both marks").lines
}

/// Our lines beside others: the last one does not take over, and what is read is there to be read again.
pub(super) fn beside(name: HookName) -> String {
    let call = format!("exec \"$orchestrate\" hook {name} \"$@\"\n");
    let lines = alone(name);
    let before = lines.strip_suffix(&call).expect("the scripts that ship end with the call");
    let plain = format!("\"$orchestrate\" hook {name} \"$@\"");
    match name {
        HookName::PreCommit | HookName::CommitMsg => format!("{before}{plain} || exit $?\n"),
        HookName::PrePush => format!(
            "{before}orchestrate_lines=$(cat)\n\
             if [ -n \"$orchestrate_lines\" ]; then\n    \
             {plain} <<ORCHESTRATE_LINES || exit $?\n\
             $orchestrate_lines\n\
             ORCHESTRATE_LINES\n    \
             exec <<ORCHESTRATE_LINES\n\
             $orchestrate_lines\n\
             ORCHESTRATE_LINES\n\
             else\n    \
             exec </dev/null\n\
             fi\n\
             unset orchestrate orchestrate_lines\n"
        ),
    }
}

/// Whether a shell runs it: by its first line, or because it has none and is text, which git gives to `sh`.
fn is_for_shell(script: &str) -> bool {
    if script.contains('\0') {
        return false;
    }
    let Some(line) = script.strip_prefix("#!").map(|rest| rest.lines().next().unwrap_or_default()) else {
        return true;
    };
    let mut words = line.split_whitespace();
    let name = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let mut program = words.next().map(name).unwrap_or_default();
    if program == "env" {
        program = words.find(|word| !word.starts_with('-') && !word.contains('=')).map(name).unwrap_or_default();
    }
    SHELLS.contains(&program.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_comes_out_without_a_trace() {
        for script in [
            "#!/bin/sh\necho hello\n",
            "#!/bin/sh",
            "#! /usr/bin/env -S bash -e\nexit 0",
            "echo no first line\n",
            "",
            "#!/usr/bin/env bash\r\nexit\r\n",
        ] {
            for name in HookName::ALL {
                let with = insert(script, name).expect(script);
                assert!(with.contains(&beside(name)), "{with}");
                let taken = take_out(&with).expect(script);
                assert_eq!((taken.rest.as_str(), taken.lines), (script, beside(name)));
            }
            let with = append(script, "[hook \"x\"]\n");
            assert_eq!(take_out(&with).expect(script).rest, script);
        }
        assert_eq!(take_out("#!/bin/sh\necho '# >>> git-orchestrate 1 >>>'\n"), None);
        assert_eq!(take_out("# >>> git-orchestrate 1 >>>\nno end\n"), None);
        for name in HookName::ALL {
            for made in [true, false] {
                let rest = take_out(&whole(name, made)).expect("marks").rest;
                assert!(is_bare(&rest) && made_directory(&rest) == made);
            }
        }
    }

    #[test]
    fn only_shells_read_our_lines() {
        for script in ["#!/usr/bin/env python3\n", "#!/usr/bin/node\n", "\u{7f}ELF\0", "#!/usr/bin/env -S deno run\n"] {
            assert_eq!(insert(script, HookName::PrePush), None, "{script}");
        }
    }
}
