//! Names that no tool touches: git's own directory, whatever it is spelt like, and ours.
//! Looks at nothing but the name.

/// Whether a name is that of git's directory or file on some file system: in any case, with marks that macOS leaves out,
/// with dots, spaces or a stream behind it that Windows leaves out, or short as Windows makes it. As git itself refuses
/// them in trees (`verify_path`, `is_hfs_dotgit`, `is_ntfs_dotgit`).
pub fn is_git(name: &str) -> bool {
    let seen: String = name.chars().filter(|c| !is_left_out(*c)).collect::<String>().to_lowercase();
    let seen = seen.split(':').next().unwrap_or_default().trim_end_matches([' ', '.']);
    matches!(seen, ".git" | "git~1")
}

/// Whether a name at the worktree's root is that of the program's own files, which agents do not see.
pub fn is_handoff(name: &str) -> bool {
    name.to_lowercase() == ".handoff"
}

/// What HFS+ leaves out when it compares names (git's `next_hfs_char`).
fn is_left_out(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_known_and_others_are_free() {
        for name in [".git", ".GIT", ".Git", ".git.", ".git ", ".gi\u{200c}t", "GIT~1", ".git::$INDEX_ALLOCATION"] {
            assert!(is_git(name), "{name:?}");
        }
        for name in [".gitignore", ".github", "git", ".gitattributes", "..git", "a.git", ".gitmodules", "git~10"] {
            assert!(!is_git(name), "{name:?}");
        }
        assert!(is_handoff(".handoff") && is_handoff(".HandOff") && !is_handoff("handoff"));
    }
}
