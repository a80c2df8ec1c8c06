//! The same work done by `lifecycle` and by its peers, in one run: `cargo bench -p lifecycle-benches`.
//!
//! - `--bench yardstick`: nanoseconds, on one thread and on two threads that share the component.
//!   Beside them, what limiters promise: the most permits that any second saw (also `--bench windows`).
//! - `--bench instructions`: instructions by callgrind, the same in every run; with `-- --check` against the budgets.
//!
//! Every contestant is one function, and nothing below it is kept from being inlined but the function that is guarded.
//!
//! - Time is taken of a loop into which that function is inlined, as it would be into its user. Behind a call, work that takes
//!   less than a nanosecond hides in the time of the call and shows as nothing.
//! - Instructions are counted behind a function pointer, called from one compiled loop ([`measure::repeat`]), so that nothing is
//!   hoisted out of the loop and each operation is counted whole.
//!
//! What the loop costs is measured by a contestant that does nothing, and subtracted.

pub mod contestants;
pub mod measure;
pub mod windows;

pub use contestants::{Budget, Contestant, Group, Peers};

/// A Markdown table; the first `text` columns are text, the others numbers.
#[must_use]
pub fn markdown(text: usize, header: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &mut dyn Iterator<Item = &str>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
    let mut table = line(&mut header.iter().copied());
    table += &line(&mut (0..header.len()).map(|column| if column < text { "---" } else { "---:" }));
    for row in rows {
        table += &line(&mut row.iter().map(String::as_str));
    }
    table
}
