//! Which files a glob of a model's names.
//! Looks at no file.

use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

use super::refusal::Refusal;

/// Bytes of a glob.
const GLOB_BYTES_MAX: usize = 1024;

/// A glob: without a `/` it is for the name of a file, with one for its whole path, as in `.gitignore`.
#[derive(Debug)]
pub(super) struct Files {
    matcher: Option<GlobMatcher>,
    of_name: bool,
}

impl Files {
    /// The files a glob names; all of them without one.
    pub fn new(glob: Option<&str>) -> Result<Self, Refusal> {
        let Some(glob) = glob.filter(|glob| !glob.is_empty()) else {
            return Ok(Self { matcher: None, of_name: false });
        };
        let wrong = |why: String| Refusal::Call(format!("'glob' is wrong: {why}"));
        if glob.len() > GLOB_BYTES_MAX {
            return Err(wrong("it is too long".to_owned()));
        }
        let built = GlobBuilder::new(glob.trim_start_matches("./")).literal_separator(true).build();
        let matcher = built.map_err(|error| wrong(error.kind().to_string()))?.compile_matcher();
        Ok(Self { matcher: Some(matcher), of_name: !glob.contains('/') })
    }

    /// Whether a file is one of them.
    pub fn has(&self, path: &Path) -> bool {
        let Some(matcher) = &self.matcher else { return true };
        let named = if self.of_name { path.file_name().map(Path::new) } else { Some(path) };
        named.is_some_and(|named| matcher.is_match(named))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_read_as_in_ignore_files() {
        for (glob, path, has) in [
            ("*.rs", "src/a.rs", true),
            ("*.rs", "src/a.rst", false),
            ("src/*.rs", "src/a.rs", true),
            ("src/*.rs", "src/b/a.rs", false),
            ("src/**/*.rs", "src/b/a.rs", true),
            ("**/*.{ts,tsx}", "web/x.tsx", true),
            ("", "anything", true),
        ] {
            assert_eq!(Files::new(Some(glob)).unwrap().has(Path::new(path)), has, "{glob} {path}");
        }
        assert!(Files::new(Some("a[")).unwrap_err().to_string().starts_with("'glob' is wrong"));
    }
}
