//! Creating everything that is `eager`, in parallel, before the first request needs it.

use super::gather::{Ended, Gather, Step, Work};
use crate::clock::{ClockHandle, Moment};
use crate::error::{SingletonError, chain, counted, wait};
use crate::registry::{self, Component};
use crate::singleton::AnySingleton;
use crate::timer::{self, Limit};
use std::fmt;
use std::time::Duration;

/// What [`warm_up`] created.
///
/// ```
/// if let Ok(warm) = lifecycle::warm_up_blocking() {
///     println!("{} singletons are ready after {:?}", warm.ready.len(), warm.took);
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WarmUp {
    /// The eager singletons that exist now, in the order in which they were ready.
    pub ready: Vec<String>,
    /// How long it took in all.
    pub took: Duration,
}

/// What [`warm_up`] could not create. What it could stays.
///
/// ```standalone_crate
/// use lifecycle::singleton;
///
/// #[singleton]
/// fn password() -> Result<String, lifecycle::BoxError> {
///     Err("no such file".into())
/// }
///
/// #[singleton(eager)]
/// fn database() -> Result<u32, lifecycle::BoxError> {
///     Ok(password()?.parse()?)
/// }
///
/// # lifecycle::testing::isolated(|| {
/// let error = lifecycle::warm_up_blocking().unwrap_err();
/// let failure = error.failures.iter().find(|one| one.name == "database").unwrap();
/// assert!(failure.error.contains("no such file"));
/// assert_eq!(failure.path.len(), 2); // database -> password, each with file and line
/// println!("{error}");
/// # });
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub struct WarmUpError {
    /// The eager singletons that exist now, in the order in which they were ready.
    pub ready: Vec<String>,
    /// Those whose creation failed.
    pub failures: Vec<WarmUpFailure>,
    /// Those that were not ready in time; their factories go on.
    pub unfinished: Vec<String>,
    /// How long it took in all.
    pub took: Duration,
}

/// A singleton that [`warm_up`] could not create.
///
/// ```
/// if let Err(error) = lifecycle::warm_up_blocking() {
///     for failure in &error.failures {
///         println!("{}: {} ({})", failure.name, failure.error, failure.path.join(" -> "));
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WarmUpFailure {
    /// The eager singleton.
    pub name: String,
    /// From it to what failed first, each with file and line.
    pub path: Vec<String>,
    /// What was said, with all causes.
    pub error: String,
}

impl fmt::Display for WarmUpFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_slice() {
            [] | [_] => write!(f, "{}", self.error),
            path => write!(f, "{} (by way of {})", self.error, path.join(" -> ")),
        }
    }
}

impl fmt::Display for WarmUpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failures = self.failures.iter().map(ToString::to_string);
        let late = wait(&self.took);
        let unfinished = self.unfinished.iter().map(|name| format!("singleton `{name}`: not ready after {late}"));
        let all: Vec<String> = failures.chain(unfinished).collect();
        let total = counted(all.len() + self.ready.len(), "eager singleton", "eager singletons");
        let are = if all.len() == 1 { "is" } else { "are" };
        write!(f, "{} of {total} {are} not ready: ", all.len())?;
        f.write_str(&all.join("; "))
    }
}

/// Creates every `eager` singleton, all at the same time, and waits for them.
///
/// Asynchronous factories run in the task that awaits this. Each synchronous one runs on a thread of its own, which has this
/// context and tracing subscriber but no runtime: what needs a runtime (`Handle::current()`) belongs into an async factory.
///
/// ```
/// use lifecycle::singleton;
///
/// #[singleton(eager)]
/// fn synonyms() -> Vec<&'static str> {
///     vec!["one", "two"]
/// }
///
/// let warm = lifecycle::warm_up_blocking()?;
/// assert!(warm.ready.contains(&"synonyms".to_owned()));
/// # Ok::<(), lifecycle::WarmUpError>(())
/// ```
///
/// # Errors
/// [`WarmUpError`]: every singleton that could not be created, with the path to what failed. The others exist.
pub async fn warm_up() -> Result<WarmUp, WarmUpError> {
    all(ClockHandle::in_force(), Moment::NEVER).await
}

/// [`warm_up`] with a limit in time: what is not ready then is reported. Its factory goes on: on its thread, or, if it is
/// asynchronous, with the next who awaits it.
///
/// ```
/// # use lifecycle::singleton;
/// use std::time::Duration;
///
/// # lifecycle::testing::isolated(|| {
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// match lifecycle::warm_up_within(Duration::from_secs(8)).await {
///     Ok(warm) => println!("ready after {:?}", warm.took),
///     Err(error) => println!("{error}; not ready: {:?}", error.unfinished),
/// }
/// # });
/// # });
/// ```
///
/// # Errors
/// As there.
pub async fn warm_up_within(limit: Duration) -> Result<WarmUp, WarmUpError> {
    let clock = ClockHandle::in_force();
    let until = clock.now().after(limit);
    all(clock, until).await
}

/// [`warm_up`] where there is no task: blocks this thread. Asynchronous factories are polled on it, so one that needs a runtime
/// needs its guard here (`let _guard = runtime.enter();`).
///
/// ```
/// match lifecycle::warm_up_blocking() {
///     Ok(warm) => println!("ready: {}", warm.ready.join(", ")),
///     Err(error) => eprintln!("{error}"),
/// }
/// ```
///
/// # Errors
/// As there.
pub fn warm_up_blocking() -> Result<WarmUp, WarmUpError> {
    block_on(warm_up())
}

/// [`warm_up_within`] where there is no task; see [`warm_up_blocking`].
///
/// ```
/// use std::time::Duration;
///
/// if let Err(error) = lifecycle::warm_up_blocking_within(Duration::from_secs(8)) {
///     eprintln!("{error}");
/// }
/// ```
///
/// # Errors
/// As there.
pub fn warm_up_blocking_within(limit: Duration) -> Result<WarmUp, WarmUpError> {
    block_on(warm_up_within(limit))
}

pub(crate) fn block_on<R>(future: impl std::future::Future<Output = R>) -> R {
    // The future minds its own limit.
    match timer::block_on_until(future, &ClockHandle::System, Moment::NEVER) {
        Some(output) => output,
        None => unreachable_never(),
    }
}

#[cold]
#[allow(clippy::unreachable, reason = "\"never\" does not come")]
fn unreachable_never() -> ! {
    unreachable!("a wait without a limit ended without a result")
}

async fn all(clock: ClockHandle, until: Moment) -> Result<WarmUp, WarmUpError> {
    let began = clock.now();
    let eager: Vec<&'static dyn AnySingleton> = registry::declared(|component| match component {
        Component::Singleton(singleton) if singleton.is_eager() => Some(singleton),
        _ => None,
    });
    let work = eager.iter().map(|singleton| -> Work<Result<(), SingletonError>> {
        let singleton = *singleton;
        if singleton.is_async() {
            let asked = singleton.ask_any_async();
            Work::Future(Box::pin(async move { asked.await.map(drop) }))
        } else {
            Work::Blocking(Box::new(move || Step::Done(singleton.ask_any("").map(drop))))
        }
    });
    let mut limit = Limit::at(until, &clock);
    let mut under_way = Gather::new(work);
    let mut open: Vec<bool> = vec![true; eager.len()];
    let (mut ready, mut failures) = (Vec::new(), Vec::new());
    while let Some(Some((number, ended))) = timer::within(under_way.next(), &clock, &mut limit).await {
        open[number] = false;
        let singleton = eager[number];
        let name = singleton.descriptor().name().to_owned();
        let error = match ended {
            Ended::Gave(Ok(())) => {
                ready.push(name);
                continue;
            }
            Ended::Gave(Err(error)) => chain(&error),
            Ended::Panicked(text) => format!("singleton `{name}`: its factory panicked: {text}"),
            Ended::NoThread(text) => format!("singleton `{name}`: no thread could be started for its factory: {text}"),
        };
        failures.push(WarmUpFailure { path: singleton.failed_path(), name, error });
    }
    let unfinished = open.iter().zip(&eager).filter(|(open, _)| **open);
    let unfinished: Vec<String> = unfinished.map(|(_, one)| one.descriptor().name().to_owned()).collect();
    let took = clock.now().since(began);
    if failures.is_empty() && unfinished.is_empty() {
        Ok(WarmUp { ready, took })
    } else {
        Err(WarmUpError { ready, failures, unfinished, took })
    }
}
