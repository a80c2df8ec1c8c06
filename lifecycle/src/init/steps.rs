//! The steps that `initialize` runs, and their order.

use crate::clock::ClockHandle;
use crate::error::{Error, STEP, SingletonError};
use crate::process::{self, Ended, Step, Work, one_within};
use crate::registry::{self, Kind};
use crate::scope;
use crate::singleton::AnySingleton;
use crate::timer::Limit;
use std::time::Duration;

/// The steps with `on_initialize` and those that their `depends_on` name, each after what it depends on; apart from that in
/// the order of their declarations. What is only observed needs no order: a step that calls another one runs it first.
///
/// # Errors
/// [`SingletonError::Cycle`] when no order can do.
pub(super) fn in_order() -> Result<Vec<&'static dyn AnySingleton>, Error> {
    let mut order = Order { found: Vec::new(), seen: Vec::new(), path: Vec::new() };
    for step in registry::declared(registry::Component::created) {
        if is_step(step) && step.is_eager() {
            order.visit(step)?;
        }
    }
    Ok(order.found)
}

fn is_step(created: &'static dyn AnySingleton) -> bool {
    created.descriptor().kind() == Kind::Flag
}

fn key(created: &'static dyn AnySingleton) -> usize {
    std::ptr::from_ref(created.descriptor()).addr()
}

struct Order {
    found: Vec<&'static dyn AnySingleton>,
    seen: Vec<usize>,
    /// From a step with `on_initialize` to the one that is looked at.
    path: Vec<&'static dyn AnySingleton>,
}

impl Order {
    /// Through singletons, too: they are not created here, but a step may stand behind one.
    fn visit(&mut self, created: &'static dyn AnySingleton) -> Result<(), Error> {
        if let Some(at) = self.path.iter().position(|one| key(*one) == key(created)) {
            let mut path: Vec<String> =
                self.path[at..].iter().map(|one| one.descriptor().subject().to_string()).collect();
            path.push(created.descriptor().name().to_owned());
            return Err(SingletonError::Cycle { what: STEP, path: path.join(" -> ") }.into());
        }
        if self.seen.contains(&key(created)) {
            return Ok(());
        }
        self.seen.push(key(created));
        self.path.push(created);
        for needed in created.dependencies().iter().filter_map(|find| process::resolve(find())) {
            self.visit(needed)?;
        }
        self.path.pop();
        if is_step(created) {
            self.found.push(created);
        }
        Ok(())
    }
}

/// Runs a step that is not async, as [`ask_any`](AnySingleton::ask_any) does; one with an `init_timeout` on a thread of its own, since
/// nothing else gets past one that hangs. It goes on there.
pub(super) async fn run(step: &'static dyn AnySingleton, clock: &ClockHandle) -> Result<(), SingletonError> {
    let here = || step.ask_any("").map(drop);
    let Some(limit) = step.init_timeout().filter(|_| !step.exists()) else {
        return here();
    };
    let mut until = Limit::begin(clock, limit);
    let work = Work::Blocking(Box::new(move || Step::Done(step.ask_any("").map(drop))));
    match one_within(work, clock, &mut until).await {
        Some(Ended::Gave(outcome)) => outcome,
        // As if it had run here.
        Some(Ended::Panicked(text)) => std::panic::resume_unwind(Box::new(text)),
        Some(Ended::NoThread(_)) => here(),
        None => {
            // Its thread runs on this one's behalf: who tries again has been waiting for that.
            if let Some(frame) = scope::frame() {
                frame.waited_for_all(until.since());
            }
            Err(timed_out(step, limit))
        }
    }
}

fn timed_out(step: &'static dyn AnySingleton, waited: Duration) -> SingletonError {
    let descriptor = step.descriptor();
    SingletonError::InitTimeout {
        what: STEP,
        name: descriptor.name().to_owned(),
        waited,
        waiting_for: format!("{}, on a thread of its own", descriptor.subject()),
    }
}

/// What a step's failure is to whoever initializes.
pub(super) fn failed(step: &'static dyn AnySingleton, error: SingletonError) -> Error {
    let name = step.descriptor().name().to_owned();
    let source = match error {
        // The step's own error: that it is the step's is said by what is around it.
        SingletonError::Factory { name: of, source, .. } if of == name => source,
        other => other.into(),
    };
    Error::Step { name, source }
}
