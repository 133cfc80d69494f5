//! Workflows that tests of several rooms follow.
//! Knows nothing of who plays their roles.

/// A plan, reviewed; then each of its steps written, reviewed and gated.
pub const SMALL: &str = r#"name = "small"
[[phase]]
id = "plan"
role = "planner"
produces = "plan"
[[phase]]
id = "plan-review"
role = "plan-reviewer"
needs = ["plan"]
reviews = "plan"
[[phase]]
id = "implement"
role = "implementer"
needs = ["plan-review"]
for_each = "plan.steps"
[[phase]]
id = "code-review"
role = "code-reviewer"
needs = ["implement"]
reviews = "implement"
[[phase]]
id = "gate"
gate = "full"
needs = ["code-review"]
on_fail = "implement"
"#;
