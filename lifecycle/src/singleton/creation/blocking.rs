//! A factory that runs on the thread that asked; others block until it is over.

use super::run::{Attempt, Run, thread_label, waits_of};
use super::{Creation, Creator, Plan, Running};
use crate::error::{CreateError, SingletonError};
use crate::process::Awaits;
use crate::scope::{self, WaitEdge};
use crate::sync::thread;
use crate::telemetry;
use crate::timer::{self, Limit};
use event_listener::Listener as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

impl<V> Creation<V> {
    /// The one instance: `existing`, or what `make` gives, put in its place by `store`.
    ///
    /// `existing` and `store` run under this creation's lock and are this crate's own code; `make` is the user's and runs
    /// under none. A value set meanwhile wins over the one just made, which is dropped.
    pub(crate) fn once<R, E>(
        &self,
        plan: &Plan<'_>,
        existing: impl Fn() -> Option<R>,
        make: impl FnOnce() -> Result<V, E>,
        store: impl FnOnce(V) -> R,
        describe: impl FnOnce(&E) -> String,
    ) -> Result<R, CreateError<E>> {
        // When this thread blocks, every factory on whose behalf it runs does.
        let askers = scope::frames();
        let (mut asked, mut deadline) = (None, None);
        let run = loop {
            // Clocks are somebody else's code: asked before the lock is taken.
            let now = plan.clock.now();
            let asked = *asked.get_or_insert(now);
            let mut state = self.state.lock();
            if let Some(found) = existing() {
                return Ok(found);
            }
            let running = match &state.creator {
                Creator::Nobody => {
                    let record = state.record.as_deref();
                    plan.admits(record, now).map_err(CreateError::Refused)?;
                    let run = Run::begin(plan, record, askers.clone(), &askers, (asked, now));
                    let process = std::process::id();
                    state.creator =
                        Creator::Running(Running { frame: run.frame.id, thread: thread::current(), process });
                    break run;
                }
                // What it gives is not stored.
                Creator::Running(_) if plan.phase.is_over() => {
                    drop(state);
                    return Err(CreateError::Refused(plan.shutting_down()));
                }
                Creator::Running(running) => running.clone(),
                Creator::Flight(flight) => {
                    // From within, awaiting it would be no better.
                    let circle = askers.iter().find_map(|asker| WaitEdge::enter(asker, flight.frame().id).err());
                    drop(state);
                    let (what, name) = (plan.what(), plan.name());
                    return Err(CreateError::Refused(match circle {
                        Some(path) => SingletonError::Cycle { what, path: path.to_string() },
                        None => SingletonError::NeedsAsync { what, name },
                    }));
                }
            };
            let changed = self.changed.listen();
            let waiting: Result<Vec<_>, _> = askers.iter().map(|asker| WaitEdge::enter(asker, running.frame)).collect();
            drop(state);
            let refused = |error| Err(CreateError::Refused(error));
            if running.process != std::process::id() {
                return refused(SingletonError::Forked { what: plan.what(), name: plan.name() });
            }
            let waiting = match waiting {
                Ok(waiting) => waiting,
                Err(path) => return refused(SingletonError::Cycle { what: plan.what(), path: path.to_string() }),
            };
            // Also where no frame is installed: a thread whose thread-locals are gone.
            if running.thread.id() == thread::current().id() {
                return refused(SingletonError::Cycle {
                    what: plan.what(),
                    path: format!("{} -> {}", plan.subject, plan.subject.name),
                });
            }
            let _awaits = Awaits::blocking(&plan.phase, running.frame);
            match plan.limits.init_timeout {
                None => changed.wait(),
                Some(limit) => {
                    let limit = deadline.get_or_insert_with(|| {
                        let since = askers.iter().filter_map(|asker| asker.has_waited_for(running.frame)).min();
                        Limit::since_then(plan.clock, since, limit)
                    });
                    if !timer::block_until(changed, plan.clock, limit) {
                        let since = limit.since();
                        askers.iter().for_each(|asker| asker.waited_for(running.frame, since));
                        return refused(timed_out(plan, &running, limit));
                    }
                }
            }
            drop(waiting);
        };

        let attempt = Attempt::new(self, plan, &run);
        // Who makes it waits for it, too.
        let _awaits = Awaits::blocking(&plan.phase, run.frame.id);
        let made = catch_unwind(AssertUnwindSafe(|| {
            let _running = plan.install(&run.frame);
            let _span = telemetry::creation_span(plan.creates, &plan.subject.name, plan.type_name, plan.subject.place)
                .entered();
            make().map_err(|error| {
                let text = describe(&error);
                (error, text)
            })
        }));
        let made = match made {
            Ok(made) => made,
            Err(panic) => attempt.panicked(panic),
        };
        self.settle(attempt, plan, &run, made, existing, store)
    }
}

fn timed_out(plan: &Plan<'_>, running: &Running, limit: &Limit) -> SingletonError {
    SingletonError::InitTimeout {
        what: plan.what(),
        name: plan.name(),
        waited: limit.waited(plan.clock),
        waiting_for: format!("{}, on thread `{}`", waits_of(running.frame), thread_label(&running.thread)),
    }
}
