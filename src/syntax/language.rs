//! The languages whose sources are read: by which names their files end, and by which grammar.
//! Knows nothing of what is looked for in a file.

/// A language with a grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// C.
    C,
    /// C++.
    Cpp,
    /// Go.
    Go,
    /// Java.
    Java,
    /// JavaScript, JSX among it.
    JavaScript,
    /// Python.
    Python,
    /// Rust.
    Rust,
    /// TypeScript.
    TypeScript,
    /// TypeScript with JSX.
    Tsx,
}

/// What is known of a language.
struct Row {
    language: Language,
    name: &'static str,
    /// What follows the last dot of a file's name, in lower case.
    extensions: &'static [&'static str],
    grammar: fn() -> tree_sitter::Language,
}

/// `.h` is read as C++, whose grammar takes nearly all of C.
const TABLE: [Row; 9] = [
    Row { language: Language::C, name: "C", extensions: &["c"], grammar: || tree_sitter_c::LANGUAGE.into() },
    Row {
        language: Language::Cpp,
        name: "C++",
        extensions: &["cc", "cpp", "cxx", "c++", "h", "hh", "hpp", "hxx", "inl", "ipp"],
        grammar: || tree_sitter_cpp::LANGUAGE.into(),
    },
    Row { language: Language::Go, name: "Go", extensions: &["go"], grammar: || tree_sitter_go::LANGUAGE.into() },
    Row {
        language: Language::Java,
        name: "Java",
        extensions: &["java"],
        grammar: || tree_sitter_java::LANGUAGE.into(),
    },
    Row {
        language: Language::JavaScript,
        name: "JavaScript",
        extensions: &["js", "jsx", "mjs", "cjs"],
        grammar: || tree_sitter_javascript::LANGUAGE.into(),
    },
    Row {
        language: Language::Python,
        name: "Python",
        extensions: &["py", "pyi"],
        grammar: || tree_sitter_python::LANGUAGE.into(),
    },
    Row { language: Language::Rust, name: "Rust", extensions: &["rs"], grammar: || tree_sitter_rust::LANGUAGE.into() },
    Row {
        language: Language::TypeScript,
        name: "TypeScript",
        extensions: &["ts", "mts", "cts"],
        grammar: || tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
    },
    Row {
        language: Language::Tsx,
        name: "TSX",
        extensions: &["tsx"],
        grammar: || tree_sitter_typescript::LANGUAGE_TSX.into(),
    },
];

impl Language {
    /// That of a file, by its name.
    pub fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (_, extension) = name.rsplit_once('.')?;
        let extension = extension.to_ascii_lowercase();
        TABLE.iter().find(|row| row.extensions.contains(&extension.as_str())).map(|row| row.language)
    }

    /// Its name for people.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Whether sources of the two import each other by the same rules.
    pub fn is_kin(self, other: Self) -> bool {
        self.kin() == other.kin()
    }

    fn kin(self) -> Self {
        match self {
            Self::C | Self::Cpp => Self::Cpp,
            Self::JavaScript | Self::TypeScript | Self::Tsx => Self::TypeScript,
            other @ (Self::Go | Self::Java | Self::Python | Self::Rust) => other,
        }
    }

    pub(super) fn grammar(self) -> tree_sitter::Language {
        (self.row().grammar)()
    }

    fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.language == self).expect("BUG: a language without a row")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_names() {
        for (path, name) in [
            ("src/a.rs", Some("Rust")),
            ("a/B.JAVA", Some("Java")),
            ("a.d.ts", Some("TypeScript")),
            ("a.tsx", Some("TSX")),
            ("include/a.h", Some("C++")),
            (".rs", Some("Rust")),
            ("rs", None),
            ("a.rs/README", None),
        ] {
            assert_eq!(Language::of(path).map(Language::name), name, "{path}");
        }
    }

    #[test]
    fn every_grammar_is_one_that_our_parser_reads() {
        for row in &TABLE {
            let mut parser = tree_sitter::Parser::new();
            parser.set_language(&(row.grammar)()).expect(row.name);
            assert_eq!(TABLE.iter().filter(|other| other.language == row.language).count(), 1, "{}", row.name);
        }
    }
}
