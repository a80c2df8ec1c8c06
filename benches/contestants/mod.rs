//! Who is measured, and against whom.

mod breakers;
mod guards;
mod invocations;
mod limiters;
mod look_ups;
mod singletons;

pub use breakers::Breakers;
pub use limiters::Limiters;
pub(crate) use limiters::Log;
pub use look_ups::LookUps;

/// One way to do the work.
#[derive(Debug, Clone, Copy)]
pub struct Contestant {
    /// Its row in the table.
    pub name: &'static str,
    /// The work, once. What it is given and what it gives only keeps the compiler from leaving work out.
    pub once: fn(&Peers, u64) -> u64,
    /// The work that many times: inlined into a loop of its own.
    pub often: fn(&Peers, u64),
}

/// Both forms of a contestant. The work is written out twice: called twice it might not be inlined.
macro_rules! contestant {
    ($name:literal, |$peers:pat_param, $number:pat_param| $work:expr) => {
        Contestant {
            name: $name,
            once: |$peers, $number| $work,
            often: |peers, times| crate::measure::repeat_inlined(|$peers, $number| $work, peers, times),
        }
    };
}
use contestant;

/// As `contestant!`, for a future: one at a time it is polled by hand, often it is awaited in a loop that is one future, as in
/// an `async fn`.
macro_rules! awaited {
    ($name:literal, $future:expr => $number:expr) => {
        Contestant {
            name: $name,
            once: |_, _| singletons::polled($future).map_or(0, $number),
            often: |_, times| {
                let often = async {
                    for _ in 0..times {
                        std::hint::black_box($number($future.await));
                    }
                };
                singletons::polled(often);
            },
        }
    };
}
use awaited;

/// One kind of work, and who does it.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// What is done.
    pub operation: &'static str,
    /// What is subtracted.
    pub base: Base,
    /// `lifecycle` first, then whom it is compared with (ratio 1), then the others.
    pub contestants: &'static [Contestant],
    /// What each of them gives for a number, if that is known: see [`rehearse`].
    pub gives: Option<fn(u64) -> u64>,
    /// The instructions that `lifecycle` may take.
    pub budget: Option<Budget>,
}

/// What is none of a contestant's own cost.
#[derive(Debug, Clone, Copy)]
pub enum Base {
    /// The loop and the call of the contestant.
    Loop,
    /// These and the function that is guarded.
    Unguarded,
}

/// A number of instructions.
#[derive(Debug, Clone, Copy)]
pub enum Budget {
    /// That many more than the base.
    OverBase(u64),
    /// That many more than whom `lifecycle` is compared with.
    OverReference(u64),
}

/// What the peers need at hand. They get it by reference, as a field of an application's state would be: in statics they would
/// pay for a `LazyLock` beside their own work.
#[derive(Debug, Default)]
pub struct Peers {
    breakers: Breakers,
    limiters: Limiters,
    look_ups: LookUps,
}

/// The [`Base`]s, in its order.
static BASES: [Contestant; 2] = [
    contestant!("nothing", |_, number| number),
    contestant!("the call, unguarded", |_, number| guards::unguarded(number)),
];

/// Everything that is measured. Behind a function: were the tables public, so were in effect the statics they lead to, and they
/// would be loaded by way of a table of addresses, as nobody's own statics are.
#[inline(never)]
pub fn groups() -> impl Iterator<Item = &'static Group> {
    [singletons::GROUPS, look_ups::GROUPS, breakers::GROUPS, guards::GROUPS, limiters::GROUPS, invocations::GROUPS]
        .into_iter()
        .flatten()
}

/// Makes sure that what is measured is what the table says: that instances are found, breakers are closed, and limiters admit
/// or refuse.
///
/// # Errors
/// The contestants of whom this is not so.
pub fn rehearse(peers: &Peers) -> Result<(), String> {
    let mut strays = Vec::new();
    for group in groups() {
        let Some(gives) = group.gives else { continue };
        for contestant in group.contestants {
            (contestant.often)(peers, crate::measure::WARM_UP);
            let strayed =
                (0..crate::measure::WARM_UP).filter(|number| (contestant.once)(peers, *number) != gives(*number));
            let strayed = strayed.count();
            if strayed > 0 {
                strays.push(format!("{}, {}: {strayed} times not", group.operation, contestant.name));
            }
        }
    }
    if strays.is_empty() { Ok(()) } else { Err(strays.join("; ")) }
}

/// Every function that is measured.
#[must_use]
pub fn all() -> Vec<Contestant> {
    BASES.iter().chain(groups().flat_map(|group| group.contestants)).copied().collect()
}

/// From what was measured, in the order of [`all`]: what each contestant of each group costs over the group's base.
#[must_use]
pub fn costs(measured: &[f64]) -> Vec<Vec<f64>> {
    let (bases, mut rest) = measured.split_at(BASES.len());
    let mut costs = Vec::new();
    for group in groups() {
        let (own, others) = rest.split_at(group.contestants.len());
        costs.push(own.iter().map(|value| value - bases[group.base as usize]).collect());
        rest = others;
    }
    costs
}
