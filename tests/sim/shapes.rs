//! Graphs of tasks in the shapes that queues really have: chains, fans, layers, trees, and what teams plan.
//! Knows nothing of how long a task takes.

use super::dice::Dice;

/// By task: those that must be over before it. Only earlier ones, so there is no circle.
pub type Needs = Vec<Vec<usize>>;

/// Makes a queue of so many tasks.
pub type Shape = fn(usize, &mut Dice) -> Needs;

/// Every shape, by name.
pub const SHAPES: [(&str, Shape); 10] = [
    ("apart", |count, _| vec![Vec::new(); count]),
    ("chains", chains),
    ("fan out", |count, _| (0..count).map(|at| if at == 0 { Vec::new() } else { vec![0] }).collect()),
    ("fan in", |count, _| (0..count).map(|at| if at + 1 < count { Vec::new() } else { (0..at).collect() }).collect()),
    ("fork and join", fork_and_join),
    ("layers", layers),
    ("tree", |count, dice| (0..count).map(|at| parent(at, dice)).collect()),
    ("random", random),
    ("features", features),
    ("migration", migration),
];

fn parent(at: usize, dice: &mut Dice) -> Vec<usize> {
    if at == 0 { Vec::new() } else { vec![dice.below(at as u64) as usize] }
}

/// As many chains side by side as there are tenths, between 2 and 24, of uneven length.
fn chains(count: usize, dice: &mut Dice) -> Needs {
    let chains = (count / 10).clamp(2, 24);
    let mut last: Vec<Option<usize>> = vec![None; chains];
    let mut needs = Needs::new();
    for at in 0..count {
        let chain = dice.below(chains as u64) as usize;
        needs.push(last[chain].into_iter().collect());
        last[chain] = Some(at);
    }
    needs
}

/// Again and again one that many wait for, and one that waits for them all.
fn fork_and_join(count: usize, dice: &mut Dice) -> Needs {
    let mut needs = Needs::new();
    let mut join: Option<usize> = None;
    while needs.len() < count {
        let fork = needs.len();
        needs.push(join.into_iter().collect());
        let wide = 2 + dice.below(30) as usize;
        let between: Vec<usize> = (fork + 1..(fork + 1 + wide).min(count)).collect();
        needs.extend(between.iter().map(|_| vec![fork]));
        if needs.len() < count {
            join = Some(needs.len());
            needs.push(if between.is_empty() { vec![fork] } else { between });
        }
    }
    needs
}

/// Layers of uneven width; each task needs one to three of the layer before.
fn layers(count: usize, dice: &mut Dice) -> Needs {
    let mut needs = Needs::new();
    let mut before: Vec<usize> = Vec::new();
    while needs.len() < count {
        let wide = (2 + dice.below((count as u64 / 6).clamp(3, 80)) as usize).min(count - needs.len());
        let first = needs.len();
        for _ in 0..wide {
            let mut these: Vec<usize> = if before.is_empty() {
                Vec::new()
            } else {
                (0..1 + dice.below(3)).map(|_| before[dice.below(before.len() as u64) as usize]).collect()
            };
            these.sort_unstable();
            these.dedup();
            needs.push(these);
        }
        before = (first..first + wide).collect();
    }
    needs
}

/// Each task needs up to two of the hundred before it.
fn random(count: usize, dice: &mut Dice) -> Needs {
    let mut needs = Needs::new();
    for at in 0..count {
        let mut these: Vec<usize> =
            (0..dice.below(3)).filter(|_| at > 0).map(|_| at - 1 - dice.below(at.min(100) as u64) as usize).collect();
        these.sort_unstable();
        these.dedup();
        needs.push(these);
    }
    needs
}

/// What a team plans: a foundation; features of a schema, an interface, some clients, tests and a text each; a release
/// every few features, which later features do not wait for.
fn features(count: usize, dice: &mut Dice) -> Needs {
    let mut needs = vec![Vec::new(), vec![0]];
    let mut since_release: Vec<usize> = Vec::new();
    while needs.len() < count {
        let schema = needs.len();
        needs.push(vec![1]);
        let interface = needs.len();
        needs.push(vec![schema]);
        let clients: Vec<usize> = (0..1 + dice.below(3) as usize).map(|i| interface + 1 + i).collect();
        needs.extend(clients.iter().map(|_| vec![interface]));
        let tests = needs.len();
        needs.push(clients);
        needs.push(vec![interface]);
        since_release.extend([tests, tests + 1]);
        if dice.one_in(4) {
            needs.push(std::mem::take(&mut since_release));
        }
    }
    needs.truncate(count);
    needs
}

/// Something used everywhere is replaced: the new one, an adapter, every module moved and then its tests, at the end the old
/// one removed and the text written.
fn migration(count: usize, _: &mut Dice) -> Needs {
    let mut needs = vec![Vec::new(), vec![0]];
    let mut moved = Vec::new();
    while needs.len() + 2 < count {
        needs.push(vec![1]);
        moved.push(needs.len() - 1);
        if needs.len() + 2 < count {
            needs.push(vec![needs.len() - 1]);
            moved.push(needs.len() - 1);
        }
    }
    needs.push(moved);
    needs.push(vec![needs.len() - 1]);
    needs.truncate(count);
    needs
}
