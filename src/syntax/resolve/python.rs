//! Modules of Python: packages by their `__init__.py`, relative imports, source directories.
//! Knows nothing of what is installed: a name that is no file here means nothing.

use std::collections::HashMap;

use super::sources::{Sources, dir_of, join};
use crate::syntax::{Import, Language};

/// Directories that sources are imported from although they are no package.
const ROOTS: [&str; 3] = ["", "src", "lib"];

/// Every module by each dotted name it may be imported by.
pub(super) fn modules(sources: &Sources) -> HashMap<String, Vec<u32>> {
    let mut modules: HashMap<String, Vec<u32>> = HashMap::new();
    for (at, path) in (0..).zip(&sources.paths) {
        if Language::of(path) != Some(Language::Python) {
            continue;
        }
        let stem = path.rsplit_once('.').map_or(path.as_str(), |(stem, _)| stem);
        let module = stem.strip_suffix("/__init__").unwrap_or(stem);
        let mut root = dir_of(path);
        while !root.is_empty() && sources.at(&join(root, "__init__.py")).is_some() {
            root = dir_of(root);
        }
        let mut roots: Vec<&str> = ROOTS.iter().copied().chain([root]).collect();
        roots.sort_unstable();
        roots.dedup();
        for root in roots {
            let inside = if root.is_empty() {
                Some(module)
            } else {
                module.strip_prefix(root).and_then(|m| m.strip_prefix('/'))
            };
            if let Some(inside) = inside.filter(|inside| !inside.is_empty()) {
                modules.entry(inside.replace('/', ".")).or_default().push(at);
            }
        }
    }
    modules
}

pub(super) fn resolve(sources: &Sources, from: &str, import: &Import) -> Vec<u32> {
    let name = import.name.trim_start_matches('.');
    let dots = import.name.len() - name.len();
    let parts: Vec<&str> = name.split('.').filter(|part| !part.is_empty()).collect();
    if dots > 0 {
        let dir = join(dir_of(from), &"../".repeat(dots - 1));
        let package = |end: usize| join(&dir, &parts[..end].join("/"));
        return (0..=parts.len()).rev().find_map(|end| file_of(sources, &package(end))).into_iter().collect();
    }
    for end in (1..=parts.len()).rev() {
        if let Some(found) = sources.modules.get(&parts[..end].join(".")) {
            return sources.nearest(from, found.clone());
        }
    }
    Vec::new()
}

fn file_of(sources: &Sources, module: &str) -> Option<u32> {
    let init = join(module, "__init__.py");
    sources.at(&format!("{module}.py")).or_else(|| sources.at(&init)).or_else(|| sources.at(&format!("{module}.pyi")))
}

#[cfg(test)]
mod tests {
    use super::super::sources::tests::{check, sources};

    #[test]
    fn packages_and_relative_names() {
        let sources = sources(
            "shop/__init__.py shop/cart.py shop/api/__init__.py shop/api/views.py tests/test_cart.py setup.py \
             src/tool/__init__.py src/tool/run.py services/pay/pay/__init__.py services/pay/pay/card.py \
             services/pay/tests/test_card.py loose/helper.py",
            &[],
        );
        check(
            &sources,
            "tests/test_cart.py",
            "from shop.cart import Cart\nimport shop.api.views as v",
            "shop/cart.py shop/api/views.py",
        );
        check(
            &sources,
            "shop/api/views.py",
            "from . import helper\nfrom ..cart import Cart\nfrom .. import cart",
            "shop/api/__init__.py shop/cart.py shop/cart.py",
        );
        check(
            &sources,
            "tests/test_cart.py",
            "from shop import Cart\nimport os, tool.run",
            "shop/__init__.py src/tool/run.py",
        );
        check(
            &sources,
            "services/pay/tests/test_card.py",
            "from pay.card import X\nimport pay",
            "services/pay/pay/card.py services/pay/pay/__init__.py",
        );
        check(
            &sources,
            "setup.py",
            "import loose.helper\nfrom loose import other\nimport setuptools",
            "loose/helper.py",
        );
    }
}
