//! What learned routing costs against others that could have been chosen: the same generated steps, each replayed under
//! the rules, under learned routing, under every fixed agent and under one who knows the truth, told as regret. Decides
//! nothing and fails nothing: what counts as good is for people.
//!
//! `cargo bench --bench routing [-- SEEDS]`. The chances and prices of the worlds are made up; the code that chooses is
//! that of a run: `Preference`, `Learner`, and the agent that failed goes last at the next attempt.

#![expect(clippy::print_stdout, reason = "a table is what this program is for")]

use std::{
    env,
    time::{Duration, SystemTime},
};

use git_orchestrate::{
    config::{parse::parse, settings::Settings},
    model::{
        money::{Money, Tokens},
        task::{Complexity, Risk, Task},
        workflow::Role,
    },
    route::{
        Preference,
        history::{Facts, History, Trial, Worth},
        learned::Learner,
    },
};

/// Seeds where none are asked for; what is told is their mean.
const SEEDS_DEFAULT: u64 = 20;
/// Steps of a world.
const STEPS: usize = 2_000;
/// Time between two steps: the whole is about four months, several times the age at which a step counts half.
const PAUSE: Duration = Duration::from_secs(5_000);
/// Attempts at a step before a person has to look.
const ATTEMPTS_MAX: u32 = 3;
/// What a person's look is reckoned at, dollars.
const PERSON_USD: f64 = 10.0;
/// What the review of one attempt costs, dollars.
const REVIEW_USD: f64 = 0.15;

/// The agents, as the rules have them: the ablest first.
const AGENTS: [&str; 4] = ["strong", "steady", "cheap", "local"];
const SETTINGS: &str = "\
[agents.strong]\nadapter = 'claude'\nmodel = 'claude-opus-4-5'\n\
[agents.steady]\nadapter = 'claude'\nmodel = 'claude-sonnet-4-5'\n\
[agents.cheap]\nadapter = 'openai'\nmodel = 'glm-4.7'\n\
[agents.local]\nadapter = 'openai'\nmodel = 'qwen3-coder'\nbase_url = 'http://127.0.0.1:11434'\n\
[roles]\nimplementer = ['strong', 'steady', 'cheap', 'local']\n[routing]\nmode = 'learned'\n";

/// What an agent is in a world: chances of success for small, medium and large tasks, and what an attempt costs, dollars.
type Truth = [([f64; 3], f64); 4];

struct Case {
    name: &'static str,
    /// At the beginning.
    first: Truth,
    /// From the middle on.
    then: Truth,
}

const BY_SIZE: Truth =
    [([0.97, 0.95, 0.90], 2.50), ([0.96, 0.90, 0.70], 0.90), ([0.93, 0.75, 0.30], 0.20), ([0.80, 0.40, 0.10], 0.02)];
const ONE_IS_BEST: Truth =
    [([0.97, 0.95, 0.92], 2.50), ([0.97, 0.95, 0.92], 0.90), ([0.60, 0.50, 0.30], 0.20), ([0.30, 0.20, 0.10], 0.02)];
const CHEAP_BECAME_GOOD: Truth =
    [([0.97, 0.95, 0.92], 2.50), ([0.97, 0.95, 0.92], 0.90), ([0.97, 0.93, 0.90], 0.20), ([0.30, 0.20, 0.10], 0.02)];
const STEADY_FELL: Truth =
    [([0.97, 0.95, 0.92], 2.50), ([0.60, 0.50, 0.40], 0.90), ([0.60, 0.50, 0.30], 0.20), ([0.30, 0.20, 0.10], 0.02)];

const CASES: [Case; 4] = [
    Case { name: "each is good at its size", first: BY_SIZE, then: BY_SIZE },
    Case { name: "one is best throughout", first: ONE_IS_BEST, then: ONE_IS_BEST },
    Case { name: "a cheap one becomes good", first: ONE_IS_BEST, then: CHEAP_BECAME_GOOD },
    Case { name: "the best one falls off", first: ONE_IS_BEST, then: STEADY_FELL },
];

/// Who decides.
enum Policy<'a> {
    /// The rules, or learned routing on top of them.
    Ours { settings: &'a Settings, learner: Option<Learner> },
    /// Always the same.
    Fixed(usize),
    /// The cheapest by the true chances.
    Knowing,
}

/// A number of the world between 0 and 1, the same for every policy: what would come of that attempt by that agent.
fn draw(seed: u64, step: usize, attempt: u32, agent: usize) -> f64 {
    // SplitMix64 (Steele, Lea, Flood 2014).
    let mut z = seed ^ ((step as u64) << 20) ^ (u64::from(attempt) << 8) ^ agent as u64;
    for _ in 0..2 {
        z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
    }
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

fn size_of(complexity: Complexity) -> usize {
    match complexity {
        Complexity::Small => 0,
        Complexity::Medium => 1,
        Complexity::Large => 2,
    }
}

fn task(seed: u64, step: usize) -> Task {
    let mut task = Task::new(format!("t{step}").parse().expect("an id"), "A step");
    let roll = draw(seed, step, 9, 99);
    task.complexity = match roll {
        roll if roll < 0.4 => Complexity::Small,
        roll if roll < 0.8 => Complexity::Medium,
        _ => Complexity::Large,
    };
    task.risk = if roll * 10.0 % 1.0 < 0.1 { Risk::High } else { Risk::Medium };
    task
}

/// What a step costs in expectation if one agent makes all its attempts.
fn expected(chance: f64, usd: f64) -> f64 {
    let attempt = usd + REVIEW_USD;
    let fail = 1.0 - chance;
    attempt * (1.0 + fail + fail * fail) + fail.powi(3) * PERSON_USD
}

/// What all steps of a world cost under a policy, and the share that no person had to look at.
fn replay(case: &Case, seed: u64, policy: &mut Policy<'_>) -> (f64, f64) {
    let role = Role("implementer".to_owned());
    let (mut usd, mut well, mut now) = (0.0, 0, SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    for step in 0..STEPS {
        now += PAUSE;
        let truth = if step < STEPS / 2 { &case.first } else { &case.then };
        let task = task(seed, step);
        let size = size_of(task.complexity);
        let (mut trials, mut unable) = (Vec::new(), Vec::new());
        for attempt in 1..=ATTEMPTS_MAX {
            let agent = match policy {
                Policy::Fixed(agent) => *agent,
                Policy::Knowing => {
                    let by = |agent: &usize| expected(truth[*agent].0[size], truth[*agent].1);
                    (0..AGENTS.len()).min_by(|a, b| by(a).total_cmp(&by(b))).expect("there are agents")
                }
                Policy::Ours { settings, learner } => {
                    let words = format!("{seed} {} implement {attempt}", task.id);
                    let preference = Preference::new(settings, learner.as_ref(), &role, &task, &words, now);
                    let first = preference.ablest_first(&unable).ranking.first.agents[0].clone();
                    AGENTS.iter().position(|name| *name == first).expect("it is one of ours")
                }
            };
            let (chances, cost) = truth[agent];
            let is_good = draw(seed, step, attempt, agent) < chances[size];
            usd += cost + REVIEW_USD;
            trials.push(trial(&task, &role, agent, is_good, cost, now));
            if is_good {
                well += 1;
                break;
            }
            unable.push(AGENTS[agent].to_owned());
            if attempt == ATTEMPTS_MAX {
                usd += PERSON_USD;
            }
        }
        if let Policy::Ours { learner: Some(learner), .. } = policy {
            learner.replace(&[], &trials);
        }
    }
    (usd, f64::from(well) / STEPS as f64)
}

fn trial(task: &Task, role: &Role, agent: usize, is_good: bool, usd: f64, now: SystemTime) -> Trial {
    let at = now.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs() as i64;
    let model = ["claude-opus-4-5", "claude-sonnet-4-5", "glm-4.7", "qwen3-coder"][agent];
    Trial {
        task: task.id.clone(),
        facts: Facts::of(role, task),
        agent: AGENTS[agent].to_owned(),
        model: model.to_owned(),
        at,
        worth: if is_good { Worth::Success } else { Worth::Miss },
        redone: !is_good,
        findings: u32::from(!is_good),
        duration_ms: 1_000,
        tokens: Tokens::default(),
        cost_usd: Some(Money::micros((usd * 1e6) as u64)),
        usage: None,
        judging_usd: Money::micros((REVIEW_USD * 1e6) as u64),
    }
}

/// Dollars a step and the share that went well, over all seeds.
fn mean<'a>(case: &Case, seeds: u64, policy: &dyn Fn() -> Policy<'a>) -> (f64, f64) {
    let all: Vec<(f64, f64)> = (0..seeds).map(|seed| replay(case, seed, &mut policy())).collect();
    let of = |part: fn(&(f64, f64)) -> f64| all.iter().map(part).sum::<f64>() / all.len() as f64;
    (of(|(usd, _)| *usd) / STEPS as f64, of(|(_, well)| *well))
}

fn main() {
    let seeds = env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(SEEDS_DEFAULT).max(1);
    let settings = parse(SETTINGS, "routing").expect("it is right");
    println!(
        "{STEPS} steps a world, mean of {seeds} seeds; dollars a step, a person's look at ${PERSON_USD} among them"
    );
    for case in &CASES {
        let learner = || Some(Learner::new(&settings, &History::new([])));
        let fixed: Vec<_> = (0..AGENTS.len()).map(|agent| mean(case, seeds, &|| Policy::Fixed(agent))).collect();
        let best = (0..AGENTS.len()).min_by(|a, b| fixed[*a].0.total_cmp(&fixed[*b].0)).expect("there are agents");
        let rules = mean(case, seeds, &|| Policy::Ours { settings: &settings, learner: None });
        let learned = mean(case, seeds, &|| Policy::Ours { settings: &settings, learner: learner() });
        let knowing = mean(case, seeds, &|| Policy::Knowing);
        println!("\n{:<28}{:>8}{:>10}{:>18}{:>16}", case.name, "USD", "ALONE", "REGRET TO FIXED", "TO RULES");
        let name = format!("  always '{}'", AGENTS[best]);
        for (name, (usd, well)) in [
            ("  learned", learned),
            ("  the rules", rules),
            (name.as_str(), fixed[best]),
            ("  who knows the truth", knowing),
        ] {
            let share = |than: f64| format!("{:+.0} %", (usd / than - 1.0) * 100.0);
            let (to_fixed, to_rules) = (share(fixed[best].0), share(rules.0));
            println!("{name:<28}{usd:>8.3}{:>8.1} %{to_fixed:>18}{to_rules:>16}", well * 100.0);
        }
    }
}
