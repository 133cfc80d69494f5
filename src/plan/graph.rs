//! The graph of tasks and what they depend on.
//! Knows nothing of how far a task has come; that is told where it matters.

use std::{
    collections::{BTreeMap, HashMap, VecDeque, btree_map::Entry},
    time::Duration,
};

use crate::{
    model::{
        checkpoint::TaskState,
        task::{Complexity, Task, TaskId},
    },
    text::{did_you_mean, list},
};

/// Tasks that are named where a wait is explained.
const NAMED_MAX: usize = 3;

/// Tasks and what they depend on.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    by_id: HashMap<TaskId, usize>,
}

#[derive(Debug, Clone)]
struct Node {
    id: TaskId,
    priority: i32,
    weight: u32,
    /// Of those that are there.
    needs: Vec<usize>,
    /// Those that are not.
    missing: Vec<TaskId>,
    dependents: Vec<usize>,
    /// Weight of the heaviest way from here to the end, itself included.
    path: u32,
}

/// Why a graph cannot be worked off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphProblem {
    /// Tasks depend on each other.
    #[error("tasks depend on each other in a circle: {}", circle(.0))]
    Circle(Vec<TaskId>),
    /// A task depends on one that is not there.
    #[error("task '{task}' depends on '{need}', which is not there")]
    Missing {
        /// The task.
        task: TaskId,
        /// What it names.
        need: TaskId,
        /// What it may have meant.
        near: Option<TaskId>,
    },
}

fn circle(ids: &[TaskId]) -> String {
    let names: Vec<&str> = ids.iter().chain(ids.first()).map(TaskId::as_str).collect();
    names.join(" -> ")
}

impl GraphProblem {
    /// The task in whose file it can be put right: of a circle the last, which closes it.
    pub fn task(&self) -> Option<&TaskId> {
        match self {
            Self::Circle(ids) => ids.last(),
            Self::Missing { task, .. } => Some(task),
        }
    }

    /// The entry of that task's `depends_on`.
    pub fn need(&self) -> Option<&TaskId> {
        match self {
            Self::Circle(ids) => ids.first(),
            Self::Missing { need, .. } => Some(need),
        }
    }

    /// One thing to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Circle(ids) => Some(format!("remove one of the {} 'depends_on'", ids.len())),
            Self::Missing { near: Some(near), .. } => Some(format!("did you mean '{near}'?")),
            Self::Missing { near: None, need, .. } => Some(format!("git orchestrate task add --id {need} \"…\"")),
        }
    }
}

/// How much a task counts on a path.
pub fn weight(complexity: Complexity) -> u32 {
    match complexity {
        Complexity::Small => 1,
        Complexity::Medium => 3,
        Complexity::Large => 8,
    }
}

impl Graph {
    /// The graph of these tasks, in the order of the queue.
    pub fn new<'a>(tasks: impl IntoIterator<Item = &'a Task>) -> Self {
        let tasks: Vec<&Task> = tasks.into_iter().collect();
        let by_id: HashMap<TaskId, usize> = tasks.iter().enumerate().map(|(at, task)| (task.id.clone(), at)).collect();
        let mut nodes: Vec<Node> = Vec::with_capacity(tasks.len());
        for task in &tasks {
            let (there, missing): (Vec<_>, Vec<_>) = task.depends_on.iter().partition(|id| by_id.contains_key(id));
            nodes.push(Node {
                id: task.id.clone(),
                priority: task.priority,
                weight: weight(task.complexity),
                needs: there.into_iter().map(|id| by_id[id]).collect(),
                missing: missing.into_iter().cloned().collect(),
                dependents: Vec::new(),
                path: 0,
            });
        }
        for at in 0..nodes.len() {
            for need in nodes[at].needs.clone() {
                nodes[need].dependents.push(at);
            }
        }
        let mut graph = Self { nodes, by_id };
        for at in graph.sorted().into_iter().rev() {
            let node = &graph.nodes[at];
            let longest = node.dependents.iter().map(|&next| graph.nodes[next].path).max().unwrap_or(0);
            graph.nodes[at].path = graph.nodes[at].weight.saturating_add(longest);
        }
        graph
    }

    /// Everything that is wrong with it: what is missing, and one circle of each knot of circles.
    pub fn problems(&self) -> Vec<GraphProblem> {
        let mut problems = Vec::new();
        for node in &self.nodes {
            for need in &node.missing {
                let known = self.nodes.iter().filter(|other| other.id != node.id).map(|other| other.id.as_str());
                let near = did_you_mean(need.as_str(), known).and_then(|near| near.parse().ok());
                problems.push(GraphProblem::Missing { task: node.id.clone(), need: need.clone(), near });
            }
        }
        problems.extend(self.circles().into_iter().map(GraphProblem::Circle));
        problems
    }

    /// Every task after all that it depends on, in the queue's order where that leaves a choice. Tasks in a circle, and
    /// those behind one, are left out.
    pub fn topological(&self) -> Vec<TaskId> {
        self.sorted().into_iter().map(|at| self.nodes[at].id.clone()).collect()
    }

    fn sorted(&self) -> Vec<usize> {
        let mut open: Vec<usize> = self.nodes.iter().map(|node| node.needs.len()).collect();
        let mut ready: std::collections::BTreeSet<usize> = (0..open.len()).filter(|&at| open[at] == 0).collect();
        let mut sorted = Vec::with_capacity(open.len());
        while let Some(at) = ready.pop_first() {
            sorted.push(at);
            for &next in &self.nodes[at].dependents {
                open[next] -= 1;
                if open[next] == 0 {
                    ready.insert(next);
                }
            }
        }
        sorted
    }

    fn circles(&self) -> Vec<Vec<TaskId>> {
        let mut knotted = vec![true; self.nodes.len()];
        for at in self.sorted() {
            knotted[at] = false;
        }
        // What only hangs behind a circle is not in one.
        let mut ends: Vec<usize> = (0..knotted.len()).filter(|&at| knotted[at]).collect();
        while let Some(at) = ends.pop() {
            if knotted[at] && !self.nodes[at].dependents.iter().any(|&next| knotted[next]) {
                knotted[at] = false;
                ends.extend(self.nodes[at].needs.iter().filter(|&&need| knotted[need]));
            }
        }
        let mut circles = Vec::new();
        for at in 0..knotted.len() {
            if knotted[at]
                && let Some(circle) = self.shortest_circle(at, &knotted)
            {
                let behind = self.reachable(at, &knotted, |node| &node.needs);
                let before = self.reachable(at, &knotted, |node| &node.dependents);
                for other in 0..knotted.len() {
                    knotted[other] &= !(behind[other] && before[other]);
                }
                circles.push(circle.into_iter().map(|at| self.nodes[at].id.clone()).collect());
            }
        }
        circles
    }

    fn shortest_circle(&self, start: usize, within: &[bool]) -> Option<Vec<usize>> {
        let mut came_from: Vec<Option<usize>> = vec![None; within.len()];
        let mut open = VecDeque::from([start]);
        while let Some(at) = open.pop_front() {
            for &need in &self.nodes[at].needs {
                if need == start {
                    let back = |at: &usize| came_from[*at].filter(|_| *at != start);
                    let mut circle: Vec<usize> = std::iter::successors(Some(at), back).collect();
                    circle.reverse();
                    return Some(circle);
                }
                if within[need] && came_from[need].is_none() {
                    came_from[need] = Some(at);
                    open.push_back(need);
                }
            }
        }
        None
    }

    fn reachable(&self, start: usize, within: &[bool], next: fn(&Node) -> &Vec<usize>) -> Vec<bool> {
        let mut found = vec![false; within.len()];
        let mut open = vec![start];
        found[start] = true;
        while let Some(at) = open.pop() {
            for &other in next(&self.nodes[at]) {
                if within[other] && !found[other] {
                    found[other] = true;
                    open.push(other);
                }
            }
        }
        found
    }

    /// Tasks that depend on a task, directly, in the queue's order.
    pub fn dependents(&self, id: &TaskId) -> Vec<TaskId> {
        let node = self.by_id.get(id).map(|&at| &self.nodes[at]);
        node.into_iter().flat_map(|node| &node.dependents).map(|&at| self.nodes[at].id.clone()).collect()
    }

    /// Weight of the heaviest way from a task to the end, itself included; 0 for one in a circle, or unknown.
    pub fn path_weight(&self, id: &TaskId) -> u32 {
        self.by_id.get(id).map_or(0, |&at| self.nodes[at].path)
    }

    /// The place of a task in the queue that the graph was made of.
    pub fn place(&self, id: &TaskId) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The task at a place.
    pub fn at(&self, place: usize) -> &TaskId {
        &self.nodes[place].id
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The places of the tasks that depend on the one at a place, directly.
    pub fn dependents_of(&self, place: usize) -> &[usize] {
        &self.nodes[place].dependents
    }

    /// By place: how long the longest chain of tasks takes that wait for a task, when each takes as long as told. Zero for one
    /// in a circle.
    pub fn after(&self, left: &[Duration]) -> Vec<Duration> {
        let mut after = vec![Duration::ZERO; self.nodes.len()];
        for at in self.sorted().into_iter().rev() {
            let next = self.nodes[at].dependents.iter().map(|&next| left[next] + after[next]);
            after[at] = next.max().unwrap_or_default();
        }
        after
    }

    /// The heaviest chain of tasks, from its first to its last: what the whole takes at least.
    pub fn critical_path(&self) -> Vec<TaskId> {
        let heaviest = |all: &mut dyn Iterator<Item = usize>| {
            // The first of equals, where `max_by_key` would take the last.
            all.filter(|&at| self.nodes[at].path > 0).min_by_key(|&at| (std::cmp::Reverse(self.nodes[at].path), at))
        };
        let first = heaviest(&mut (0..self.nodes.len()));
        let next = |at: &usize| heaviest(&mut self.nodes[*at].dependents.iter().copied());
        std::iter::successors(first, next).map(|at| self.nodes[at].id.clone()).collect()
    }

    /// Tasks in the order in which they should be started: by priority, then by the weight of what hangs on them, then as in
    /// the queue. Those it does not know come last.
    pub fn order(&self, ids: &[TaskId]) -> Vec<TaskId> {
        let mut ordered = ids.to_vec();
        ordered.sort_by_key(|id| {
            let at = self.by_id.get(id).copied();
            let node = at.map(|at| &self.nodes[at]);
            let (priority, path) = node.map_or((i32::MIN, 0), |node| (node.priority, node.path));
            std::cmp::Reverse((priority, path, std::cmp::Reverse(at.unwrap_or(usize::MAX))))
        });
        ordered
    }

    /// What a task waits for, for people: `waits for api (held)`; none: all it depends on has landed. Behind a dependency
    /// that waits itself, what that waits for at last is named.
    pub fn why_waiting(&self, task: &TaskId, states: &dyn Fn(&TaskId) -> TaskState) -> Option<String> {
        let node = &self.nodes[*self.by_id.get(task)?];
        let mut reasons: Vec<String> = Vec::new();
        for &need in node.needs.iter().filter(|&&need| states(&self.nodes[need].id) != TaskState::Landed) {
            reasons.push(self.reason(need, states));
        }
        reasons.extend(node.missing.iter().map(|id| format!("{id} (not there)")));
        if reasons.is_empty() {
            return None;
        }
        if reasons.len() > NAMED_MAX {
            let more = reasons.len() - (NAMED_MAX - 1);
            reasons.truncate(NAMED_MAX - 1);
            reasons.push(format!("{more} more"));
        }
        Some(format!("waits for {}", list(&reasons)))
    }

    fn reason(&self, at: usize, states: &dyn Fn(&TaskId) -> TaskState) -> String {
        let id = &self.nodes[at].id;
        let word = match states(id) {
            TaskState::New | TaskState::Waiting => match self.root_of_wait(at, states) {
                Some((root, state)) => return format!("{id}, which waits for {root} ({state})"),
                None => "not started",
            },
            TaskState::Aborted => "aborted, so it will not land",
            TaskState::Finished => "finished, to be landed",
            state @ (TaskState::Running | TaskState::Held | TaskState::Landed) => state.word(),
        };
        format!("{id} ({word})")
    }

    /// The first task behind `at` that does not wait for another; the one a person must look at before the others.
    fn root_of_wait(&self, at: usize, states: &dyn Fn(&TaskId) -> TaskState) -> Option<(&TaskId, TaskState)> {
        let urgency = |state: TaskState| match state {
            TaskState::Held | TaskState::Aborted => 0,
            TaskState::Running | TaskState::Finished => 1,
            TaskState::New | TaskState::Waiting => 2,
            TaskState::Landed => 3,
        };
        let state = |at: usize| states(&self.nodes[at].id);
        // What has landed waits for nothing any more: behind it nothing is looked for.
        let (mut behind, mut open) = (BTreeMap::from([(at, state(at))]), vec![at]);
        while let Some(at) = open.pop() {
            for &need in &self.nodes[at].needs {
                if let Entry::Vacant(new) = behind.entry(need)
                    && let state = state(need)
                    && state != TaskState::Landed
                {
                    new.insert(state);
                    open.push(need);
                }
            }
        }
        let waits = |other: &usize| self.nodes[*other].needs.iter().any(|need| behind.contains_key(need));
        let is_root = |other: &usize, state: &TaskState| match state {
            TaskState::New | TaskState::Waiting => !waits(other),
            TaskState::Held | TaskState::Aborted | TaskState::Running | TaskState::Finished | TaskState::Landed => true,
        };
        let roots = behind.iter().filter(|(other, state)| **other != at && is_root(other, state));
        roots.min_by_key(|(at, state)| (urgency(**state), **at)).map(|(at, state)| (&self.nodes[*at].id, *state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name: need need` lines; a name ends with `!` for each point of priority, `+` makes it large, `-` small.
    fn tasks(text: &str) -> Vec<Task> {
        text.lines()
            .map(|line| {
                let (name, needs) = line.split_once(':').unwrap_or((line, ""));
                let name = name.trim();
                let mut task = Task::new(name.trim_end_matches(['!', '+', '-']).parse().expect(name), name);
                task.priority = name.matches('!').count().try_into().expect("few");
                if name.contains('+') {
                    task.complexity = Complexity::Large;
                } else if name.contains('-') {
                    task.complexity = Complexity::Small;
                }
                task.depends_on = needs.split_whitespace().map(|need| need.parse().expect(need)).collect();
                task
            })
            .collect()
    }

    fn words(ids: &[TaskId]) -> String {
        ids.iter().map(TaskId::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn circles_and_missing_tasks_are_named() {
        for (text, wanted) in [
            ("", ""),
            ("a\nb: a\nc: a b", ""),
            (
                "api: client\nclient: docs\ndocs: api",
                "tasks depend on each other in a circle: api -> client -> docs -> api",
            ),
            ("x: b\nb: c\nc: b\ny: x", "tasks depend on each other in a circle: b -> c -> b"),
            (
                "b: b2\nb2: b m\nm: c\nc: d\nd: c",
                "tasks depend on each other in a circle: b -> b2 -> b\n\
                tasks depend on each other in a circle: c -> d -> c",
            ),
            ("a: b c\nb: a\nc: a", "tasks depend on each other in a circle: a -> b -> a"),
            ("a: a", "tasks depend on each other in a circle: a -> a"),
            (
                "login\ndocs: loign other",
                "task 'docs' depends on 'loign', which is not there (did you mean 'login'?)\n\
                task 'docs' depends on 'other', which is not there (git orchestrate task add --id other \"…\")",
            ),
        ] {
            let problems = Graph::new(&tasks(text)).problems();
            let said: Vec<String> = problems
                .iter()
                .map(|problem| match (problem, problem.hint()) {
                    (GraphProblem::Missing { .. }, Some(hint)) => format!("{problem} ({hint})"),
                    (GraphProblem::Missing { .. } | GraphProblem::Circle(_), _) => problem.to_string(),
                })
                .collect();
            assert_eq!(said.join("\n"), wanted, "{text}");
        }
        let graph = Graph::new(&tasks("api: client\nclient: docs\ndocs: api"));
        let problem = &graph.problems()[0];
        assert_eq!(problem.task().map(TaskId::as_str), Some("docs"));
        assert_eq!(problem.need().map(TaskId::as_str), Some("api"));
        assert_eq!(problem.hint().as_deref(), Some("remove one of the 3 'depends_on'"));
    }

    #[test]
    fn orders() {
        let graph = Graph::new(&tasks("d: b c\nb: a\nc+: a\na\ne\nf-!\ng: x"));
        assert_eq!(words(&graph.topological()), "a b c d e f g");
        assert_eq!(words(&graph.critical_path()), "a c d");
        assert_eq!(graph.path_weight(&"a".parse().expect("an id")), 3 + 8 + 3);
        let all = graph.topological();
        assert_eq!(words(&graph.order(&all)), "f a c b d e g");
        assert_eq!(words(&graph.dependents(&"a".parse().expect("an id"))), "b c");
        let minutes = |count: &u64| Duration::from_secs(60 * count);
        let left: Vec<Duration> = [1, 2, 3, 4, 5, 6, 7].iter().map(minutes).collect();
        assert_eq!(graph.after(&left), [0, 1, 1, 4, 0, 0, 0].map(|count| minutes(&count)));
        let circled = Graph::new(&tasks("a: b\nb: a\nc: b\nd"));
        assert_eq!(words(&circled.topological()), "d");
        assert_eq!(words(&circled.critical_path()), "d");
    }

    #[test]
    fn waits_are_explained() {
        let text = "api\nclient: api\ndocs: client\nmany: api client docs lone\nlone\nlost: nowhere";
        let graph = Graph::new(&tasks(text));
        let check = |task: &str, states: &[(&str, TaskState)], wanted: Option<&str>| {
            let state = |id: &TaskId| {
                states.iter().find(|(name, _)| *name == id.as_str()).map_or(TaskState::New, |(_, state)| *state)
            };
            assert_eq!(graph.why_waiting(&task.parse().expect("an id"), &state).as_deref(), wanted);
        };
        use TaskState::{Aborted, Finished, Held, Landed, Running};
        check("api", &[], None);
        check("client", &[], Some("waits for api (not started)"));
        check("client", &[("api", Running)], Some("waits for api (running)"));
        check("client", &[("api", Held)], Some("waits for api (held)"));
        check("client", &[("api", Finished)], Some("waits for api (finished, to be landed)"));
        check("client", &[("api", Aborted)], Some("waits for api (aborted, so it will not land)"));
        check("client", &[("api", Landed)], None);
        check("docs", &[("api", Held)], Some("waits for client, which waits for api (held)"));
        check("docs", &[("api", Landed)], Some("waits for client (not started)"));
        check(
            "many",
            &[("api", Landed), ("client", Running), ("lone", Landed)],
            Some("waits for client (running) and docs, which waits for client (running)"),
        );
        check("many", &[], Some("waits for api (not started), client, which waits for api (new) and 2 more"));
        check("lost", &[], Some("waits for nowhere (not there)"));
    }

    #[test]
    fn a_long_chain_is_no_trouble() {
        let text: Vec<String> = (0..20_000).map(|n| format!("t{n}: t{}", (n + 1) % 20_000)).collect();
        let problems = Graph::new(&tasks(&text.join("\n"))).problems();
        assert!(matches!(problems.as_slice(), [GraphProblem::Circle(ids)] if ids.len() == 20_000));
    }
}
