//! Forgeries, each beside a clean twin that is made in the same way without the lie: the first must be named for what it
//! is, the second must pass. Two verifiers judge each: the program, and `scripts/verify.py`, which shares no code with it.

#[path = "attacks/asked.rs"]
mod asked;
#[path = "attacks/forge.rs"]
mod forge;
#[path = "attacks/histories.rs"]
mod histories;
#[path = "attacks/honest.rs"]
mod honest;
#[expect(dead_code, reason = "each test binary uses a part of the kit")]
mod kit;
#[path = "attacks/landings.rs"]
mod landings;
#[path = "attacks/list.rs"]
mod list;
#[path = "attacks/more.rs"]
mod more;
#[path = "attacks/steps.rs"]
mod steps;
