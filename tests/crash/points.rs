//! The points at which the program can be killed: all that the source names, and how often a run passes each.
//! Knows nothing of what happens there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Every point that the source names.
pub fn named() -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut named);
    named
}

fn collect(directory: &Path, named: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).expect("the source") {
        let path = entry.expect("the source").path();
        if path.is_dir() {
            collect(&path, named);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("the source");
            for rest in text.split("crash_point::reach(\"").skip(1) {
                let (name, _) = rest.split_once('"').expect("a name ends");
                assert!(named.insert(name.to_owned()), "two points are named '{name}'");
            }
        }
    }
}

/// How often each point stands in a log of passes.
pub fn counts(log: &Path) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for name in fs::read_to_string(log).unwrap_or_default().lines() {
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    counts
}
