//! Programs that talk with the user on our own terminal: an editor, a pager.
//! Unlike all other children they share our process group, so that the terminal is theirs while they run.

use std::{
    ffi::{OsStr, OsString},
    io,
    process::{Child, ChildStdin, Command, Stdio},
};

use signal_hook::{SigId, consts::SIGINT, consts::SIGQUIT, flag, low_level};

use super::StartError;

/// Ctrl-C is for the program on the terminal while this is kept, not for us.
struct Deaf(Vec<SigId>);

impl Deaf {
    fn new() -> io::Result<Self> {
        let heard = std::sync::Arc::default();
        let deaf = |signal| flag::register(signal, std::sync::Arc::clone(&heard));
        Ok(Self(vec![deaf(SIGINT)?, deaf(SIGQUIT)?]))
    }
}

impl Drop for Deaf {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|id| {
            low_level::unregister(id);
        });
    }
}

/// Runs a command of the user's (`sh -c`, as git runs editors and pagers) with these words behind it, on our terminal,
/// until it ends. Its exit code; none if a signal ended it.
///
/// # Errors
/// It cannot be started.
pub fn run_attached(command: &str, words: &[&OsStr]) -> Result<Option<i32>, StartError> {
    let other = |source| StartError::Other { program: command.to_owned(), source };
    let _deaf = Deaf::new().map_err(other)?;
    let status = shell(command, words).status().map_err(other)?;
    Ok(status.code())
}

/// A program on our terminal that reads what we write.
pub struct Attached {
    child: Child,
    stdin: Option<ChildStdin>,
    _deaf: Deaf,
}

impl Attached {
    /// Starts it, with these variables set besides ours.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(command: &str, variables: &[(&str, &str)]) -> Result<Self, StartError> {
        let other = |source| StartError::Other { program: command.to_owned(), source };
        let deaf = Deaf::new().map_err(other)?;
        let mut child =
            shell(command, &[]).stdin(Stdio::piped()).envs(variables.iter().copied()).spawn().map_err(other)?;
        let stdin = child.stdin.take();
        Ok(Self { child, stdin, _deaf: deaf })
    }

    /// Ends its input and waits for it to end.
    pub fn finish(mut self) {
        drop(self.stdin.take());
        // It was ours to start; how it ended is between the user and it.
        let _ = self.child.wait();
    }
}

impl io::Write for Attached {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stdin.as_mut().map_or(Err(io::ErrorKind::BrokenPipe.into()), |stdin| stdin.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stdin.as_mut().map_or(Ok(()), io::Write::flush)
    }
}

fn shell(command: &str, words: &[&OsStr]) -> Command {
    let mut shell = Command::new("sh");
    if words.is_empty() {
        shell.arg("-c").arg(command);
    } else {
        let mut script = OsString::from(command);
        script.push(" \"$@\"");
        shell.arg("-c").arg(script).arg(command).args(words);
    }
    shell
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn words_go_behind_the_command_whole() {
        let home = tempfile::tempdir().expect("a directory");
        let file = home.path().join("a file");
        let code = run_attached("echo edited >", &[file.as_os_str()]).expect("sh starts");
        // `>` takes the first word, which is the file.
        assert_eq!(code, Some(0));
        assert_eq!(std::fs::read_to_string(&file).expect("written"), "edited\n");
        assert_eq!(run_attached("exit 3;", &[file.as_os_str()]).expect("sh starts"), Some(3));
    }

    #[test]
    fn what_is_written_is_read() {
        let home = tempfile::tempdir().expect("a directory");
        let file = home.path().join("out");
        let command = format!("cat > '{}'", file.display());
        let mut attached = Attached::start(&command, &[("LESS", "FRX")]).expect("sh starts");
        attached.write_all(b"lines").expect("taken");
        attached.finish();
        assert_eq!(std::fs::read_to_string(&file).expect("written"), "lines");
    }
}
