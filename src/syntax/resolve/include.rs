//! Headers of C and C++: beside the file, else by the end of the path.
//! Knows nothing of compilers' settings.

use super::sources::{Sources, dir_of, join};
use crate::syntax::{How, Import};

pub(super) fn resolve(sources: &Sources, from: &str, import: &Import) -> Vec<u32> {
    if import.is(How::File)
        && let Some(beside) = sources.at(&join(dir_of(from), &import.name))
    {
        return vec![beside];
    }
    let name = import.name.trim_start_matches("../").trim_start_matches("./");
    // A header of the system has the name of one here now and then; only with a directory is it taken to be ours.
    if import.is(How::Name) && !name.contains('/') {
        return Vec::new();
    }
    let found = sources.nearest(from, sources.ending_with(name));
    // Of several that are as near nobody can tell which is meant.
    if found.len() == 1 { found } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::super::sources::tests::{check, sources};

    #[test]
    fn headers_beside_and_elsewhere() {
        let sources =
            sources("src/a.c src/a.h include/lib/b.h include/lib/a.h x/config.h y/config.h src/net/c.cc time.h", &[]);
        check(
            &sources,
            "src/a.c",
            "#include \"a.h\"\n#include \"lib/b.h\"\n#include <lib/b.h>",
            "src/a.h include/lib/b.h include/lib/b.h",
        );
        check(
            &sources,
            "src/net/c.cc",
            "#include \"../a.h\"\n#include \"a.h\"\n#include \"config.h\"\n#include <time.h>",
            "src/a.h src/a.h",
        );
    }
}
