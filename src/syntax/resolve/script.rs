//! Modules of JavaScript and TypeScript: relative files, indexes, paths of a `tsconfig.json`, packages of a workspace.
//! Knows nothing of `node_modules`.

use super::sources::{Sources, dir_of, join, shared_dirs};
use crate::syntax::{How, Import};

/// What a name may go on with, the likeliest first.
const ENDINGS: [&str; 16] = [
    "",
    ".ts",
    ".tsx",
    ".d.ts",
    ".js",
    ".jsx",
    ".mjs",
    ".cjs",
    ".mts",
    ".cts",
    ".vue",
    ".svelte",
    "/index.ts",
    "/index.tsx",
    "/index.js",
    "/index.jsx",
];

pub(super) fn resolve(sources: &Sources, from: &str, import: &Import) -> Vec<u32> {
    let found = if import.is(How::File) {
        file_of(sources, &join(dir_of(from), &import.name))
    } else {
        aliased(sources, from, &import.name).or_else(|| packaged(sources, &import.name))
    };
    found.into_iter().collect()
}

fn file_of(sources: &Sources, path: &str) -> Option<u32> {
    let found = ENDINGS.iter().find_map(|ending| sources.at(&format!("{path}{ending}")));
    // TypeScript is imported by the name that it will have when it is compiled.
    let compiled = [(".js", ".ts"), (".js", ".tsx"), (".jsx", ".tsx"), (".mjs", ".mts"), (".cjs", ".cts")];
    found.or_else(|| compiled.iter().find_map(|(to, from)| sources.at(&format!("{}{from}", path.strip_suffix(to)?))))
}

/// By the nearest `tsconfig.json` that has patterns.
fn aliased(sources: &Sources, from: &str, name: &str) -> Option<u32> {
    let is_around = |dir: &str| dir.is_empty() || from.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'));
    let configs = sources.manifests.aliases.iter().filter(|(dir, _)| is_around(dir));
    let (_, patterns) = configs.max_by_key(|(dir, _)| shared_dirs(from, &format!("{dir}/x")))?;
    patterns.iter().find_map(|(pattern, targets)| {
        let (before, after) = pattern.split_once('*').unwrap_or((pattern, ""));
        let inner = name.strip_prefix(before)?.strip_suffix(after)?;
        if !pattern.contains('*') && !inner.is_empty() {
            return None;
        }
        targets.iter().find_map(|target| file_of(sources, &target.replacen('*', inner, 1)))
    })
}

fn packaged(sources: &Sources, name: &str) -> Option<u32> {
    let packages = &sources.manifests.packages;
    // `@scope/a/b/c` is in `@scope/a`, if that is one.
    let ends = name.match_indices('/').map(|(at, _)| at).chain([name.len()]);
    let (dir, main, rest) =
        ends.filter_map(|end| packages.get(&name[..end]).map(|(d, m)| (d, m, &name[end..]))).next_back()?;
    if !rest.is_empty() {
        return file_of(sources, &join(dir, rest)).or_else(|| file_of(sources, &join(&join(dir, "src"), rest)));
    }
    let main = main.as_deref().and_then(|main| file_of(sources, main));
    main.or_else(|| {
        ["src/index", "index", "src/main", "lib/index"].iter().find_map(|m| file_of(sources, &join(dir, m)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::sources::tests::{check, sources};

    #[test]
    fn relative_files_aliases_and_packages() {
        let sources = sources(
            "app/src/main.ts app/src/ui/index.tsx app/src/ui/button.tsx app/src/store.ts app/src/legacy.js \
             packages/core/src/index.ts packages/core/src/deep/x.ts packages/plain/index.js app/src/data.json",
            &[
                (
                    "app/tsconfig.json",
                    "{ \"compilerOptions\": { // ours\n \"baseUrl\": \".\", \"paths\": { \"@/*\": [\"src/*\"], } } }",
                ),
                ("packages/core/package.json", "{\"name\": \"@shop/core\", \"main\": \"dist/index.js\"}"),
                ("packages/plain/package.json", "{\"name\": \"plain\", \"main\": \"index.js\"}"),
            ],
        );
        check(
            &sources,
            "app/src/main.ts",
            "import './ui';\nimport './store.js';\nimport './ui/button';\nimport x from './legacy';\nimport d from './data.json';\nimport './gone';",
            "app/src/ui/index.tsx app/src/store.ts app/src/ui/button.tsx app/src/legacy.js app/src/data.json",
        );
        check(
            &sources,
            "app/src/ui/button.tsx",
            "import { s } from '@/store';\nimport '..';\nimport 'src/main';",
            "app/src/store.ts app/src/main.ts",
        );
        check(
            &sources,
            "app/src/main.ts",
            "import '@shop/core';\nimport '@shop/core/deep/x';\nimport 'plain';\nimport 'react';",
            "packages/core/src/index.ts packages/core/src/deep/x.ts packages/plain/index.js",
        );
        check(&sources, "packages/plain/index.js", "require('@/store')", "");
    }
}
