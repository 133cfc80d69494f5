//! Classes and packages of Java by where their files are.
//! Knows nothing of packages' own declarations: a class is in the directories that its name says.

use super::sources::Sources;
use crate::syntax::Import;

pub(super) fn resolve(sources: &Sources, from: &str, import: &Import) -> Vec<u32> {
    if let Some(package) = import.name.strip_suffix(".*") {
        // Of a class: its members. Of a package: all its classes.
        let class = class_of(sources, from, package);
        return if class.is_empty() { package_of(sources, from, package) } else { class };
    }
    class_of(sources, from, &import.name)
}

/// The file of a class, or of the class that it is in, or is a member of.
fn class_of(sources: &Sources, from: &str, name: &str) -> Vec<u32> {
    let mut name = name;
    while name.contains('.') {
        let found = sources.ending_with(&format!("{}.java", name.replace('.', "/")));
        if !found.is_empty() {
            return sources.nearest(from, found);
        }
        name = name.rsplit_once('.').map_or("", |(outer, _)| outer);
    }
    Vec::new()
}

fn package_of(sources: &Sources, from: &str, package: &str) -> Vec<u32> {
    let dir = package.replace('.', "/");
    // The importer's own source root is likeliest; else a root that another file is known to be under.
    let roots = ["src/main/java", "src/test/java", "src", "java", ""];
    let module = from.split("/src/").next().filter(|_| from.contains("/src/")).unwrap_or_default();
    let places = roots
        .iter()
        .flat_map(|root| [module, ""].map(|module| super::sources::join(&format!("{module}/{root}"), &dir)));
    let found = places.map(|place| sources.in_dir(&place).to_vec()).find(|files| !files.is_empty());
    found.unwrap_or_default().into_iter().filter(|at| sources.path(*at).ends_with(".java")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sources::tests::{check, sources};

    #[test]
    fn classes_members_and_packages() {
        let sources = sources(
            "core/src/main/java/com/shop/Cart.java core/src/main/java/com/shop/Item.java \
             core/src/test/java/com/shop/CartTest.java web/src/main/java/com/shop/web/View.java",
            &[],
        );
        let view = "web/src/main/java/com/shop/web/View.java";
        check(
            &sources,
            view,
            "import com.shop.Cart;\nimport com.shop.Cart.Line;\nimport java.util.List;",
            "core/src/main/java/com/shop/Cart.java core/src/main/java/com/shop/Cart.java",
        );
        check(
            &sources,
            view,
            "import static com.shop.Item.of;\nimport static com.shop.Item.*;",
            "core/src/main/java/com/shop/Item.java core/src/main/java/com/shop/Item.java",
        );
        check(
            &sources,
            "core/src/test/java/com/shop/CartTest.java",
            "import com.shop.*;\nimport com.shop.web.*;",
            "core/src/main/java/com/shop/Cart.java+core/src/main/java/com/shop/Item.java",
        );
    }
}
