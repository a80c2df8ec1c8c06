//! The attribute macros of the `lifecycle` crate. Depend on that one: it re-exports them.
//!
//! This file only dispatches. Each macro is a folder of `args` (what may be written) -> `model` (what it means) -> `check`
//! (what cannot be) -> `expand` (what comes out).

mod circuit_breaker;
mod entry;
mod errors;
mod guarded_fn;
mod init_flag;
mod isolated_test;
mod item;
mod names;
mod options;
mod rate_limit;
mod runtime;
mod singleton;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// One lazy instance of a type, or of what a function makes.
///
/// Created on first use, once across all threads; after an error or a panic the next caller tries again. A creation that needs
/// itself is an error with the path of the circle. The instance lives as long as the process: for values that expire use a
/// cache.
///
/// ```
/// use lifecycle::{Singleton, singleton};
///
/// #[singleton(try_factory = Config::load)] // Config::try_instance()? gives &'static Config
/// pub struct Config {
///     pub api: String,
/// }
///
/// impl Config {
///     fn load() -> Result<Self, std::env::VarError> {
///         Ok(Self { api: std::env::var("PATH")? })
///     }
/// }
///
/// #[singleton] // greeting() gives &'static String; the body runs once, on first use
/// fn greeting() -> String {
///     "hello".to_owned()
/// }
///
/// #[singleton] // words()? gives &'static usize; an error is the function's own, and is not kept
/// fn words() -> Result<usize, lifecycle::SingletonError> {
///     Ok(Config::try_instance()?.api.split(':').count())
/// }
///
/// assert_eq!(greeting(), "hello");
/// assert!(words().is_ok() && Config::is_created());
/// assert_eq!(Config::stats().asked_by.as_deref(), Some("words"));
/// ```
///
/// A type gets `instance()` (not with `try_factory`), `try_instance()` and `get()`, which never creates. The trait
/// `lifecycle::Singleton` has the rest: `is_created`, `replace`,
/// `delete`, `override_with`, `stats`; import it for them. A function is reached by its call, and by its name through
/// `lifecycle::singletons()`.
///
/// | option | meaning | default |
/// | --- | --- | --- |
/// | `factory = path` or closure | makes the instance of a type | `Default::default` |
/// | `try_factory = path` or closure | the same, giving a `Result` | |
/// | `name = ".."` | its name in snapshots, events and look-ups | the name in snake_case |
/// | `crate = path` | where `lifecycle` goes by another path | `::lifecycle` |
#[proc_macro_attribute]
pub fn singleton(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("singleton", args.into(), item.into(), singleton::singleton).into()
}

/// Refuses calls for a while after too many failures, on a function or method, sync or async.
///
/// A failure is an `Err`, or a panic (which goes on); any other value is a success. Failures in a row up to the threshold open
/// the breaker: calls are refused without running, until `timeout` is over. The next call is then a probe, which closes or
/// re-opens it. A future dropped early counts for nothing, but one that is dropped after `slow_call` is a failure, so that what
/// hangs under its callers' time limits opens the breaker.
///
/// ```
/// use lifecycle::circuit_breaker;
///
/// #[derive(Debug, thiserror::Error)]
/// enum ApiError {
///     #[error(transparent)]
///     Refused(#[from] lifecycle::Rejected), // a refusal becomes the function's own error
///     #[error("no such user")]
///     NoUser,
/// }
///
/// #[circuit_breaker(threshold = 3, timeout = 30)] // 3 failures in a row: refuse for 30 s, then try one call
/// async fn fetch_user(id: u64) -> Result<String, ApiError> {
///     if id == 0 { Err(ApiError::NoUser) } else { Ok(format!("user {id}")) }
/// }
///
/// // Where the error is not yours, say what a refused call gives; the arguments are there by name.
/// #[circuit_breaker(on_rejected = |rejected| format!("user {id}: {rejected}"))]
/// fn name_of(id: u64) -> Result<String, String> {
///     Ok(id.to_string())
/// }
///
/// assert_eq!(name_of(7).unwrap(), "7");
/// assert_eq!(lifecycle::breaker("name_of")?.state(), lifecycle::State::Closed);
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// There is one breaker a function, whatever the receiver and the generic types. It is reached by
/// `lifecycle::breaker("name_of")`. Two methods of one name in one module share their path: give one a `name`.
///
/// | option | meaning | default |
/// | --- | --- | --- |
/// | `threshold = 5` | failures in a row that open it | 5 |
/// | `timeout = 60`, `"250ms"` | how long it stays open (seconds, or with a unit); **not** a limit on the call | 60 s |
/// | `slow_call = "2s"` | from then on a dropped future is a failure | 10 s |
/// | `half_open_calls = 1` | probes that may run at a time | 1 |
/// | `success_threshold = 1` | probes that must succeed in a row to close it | 1 |
/// | `half_open_timeout = "30s"` | a probe older than this loses its slot to the next caller | `timeout`, at most 5 min |
/// | `on_rejected = path` or closure | gives the error of a `Result`, the whole value otherwise | `From<Rejected>` |
/// | `fallback = path` | a function with the same arguments that answers refused calls | |
/// | `name = ".."` | its name in snapshots, events and look-ups | the name in snake_case |
/// | `crate = path` | where `lifecycle` goes by another path | `::lifecycle` |
///
/// Numbers and durations may be const expressions. A limit on the call itself is `tokio::time::timeout` inside the body.
#[proc_macro_attribute]
pub fn circuit_breaker(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("circuit_breaker", args.into(), item.into(), circuit_breaker::circuit_breaker).into()
}

/// Never lets more than so many calls pass in any window of time, on a function or method, sync or async.
///
/// The window slides and is exact: a permit that is exactly a window old still counts. A refused call does not run, uses up
/// nothing, and says after what time a retry can succeed.
///
/// ```
/// use lifecycle::rate_limit;
///
/// #[rate_limit("2/s")] // also "1000/min", "5/250ms"
/// fn search(words: &str) -> Result<usize, Box<dyn std::error::Error>> {
///     Ok(words.len())
/// }
///
/// assert!(search("a").is_ok() && search("b").is_ok());
/// let refused = search("c").unwrap_err().downcast::<lifecycle::Rejected>().unwrap();
/// assert!(refused.retry_after.is_some());
/// ```
///
/// | option | meaning |
/// | --- | --- |
/// | `"100/s"` | the rate: up to 1,048,576 calls in a window (`s`, `min`, `h`, or a number with a unit) |
/// | `limit = N, window = "1s"` | the same, where they are const expressions |
/// | `on_rejected`, `fallback`, `name`, `crate` | as of `#[circuit_breaker]` |
///
/// Beside `#[circuit_breaker]` the order is fixed, whichever is written first: an open breaker refuses without spending a
/// permit, and a refusal by the limiter is never a failure. There is one limiter a function, reached by
/// `lifecycle::limiter("search")`.
#[proc_macro_attribute]
pub fn rate_limit(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("rate_limit", args.into(), item.into(), rate_limit::rate_limit).into()
}

/// A typed switch that can be set from the environment, at run time, and in tests.
///
/// ```
/// use lifecycle::{Flag, init_flag};
///
/// #[init_flag(env = "USE_CACHE")] // USE_CACHE.get(): a load and a branch
/// static USE_CACHE: Flag<bool> = true;
///
/// assert!(USE_CACHE.get());
/// USE_CACHE.set(false);
/// assert_eq!(lifecycle::flag("use_cache")?.get_json(), false);
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// The type is `bool`, an integer of up to 64 bits, `f64` or `Duration`. An override has the last word, then what was set, then
/// the environment, then the default. A value in the environment that does not fit gives a warning event and the default.
///
/// Options: `env = ".."` (read once, on first use), `name = ".."` (default: the name in lower case), `crate = path`.
#[proc_macro_attribute]
pub fn init_flag(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("init_flag", args.into(), item.into(), init_flag::init_flag).into()
}

/// A test in a world of its own: nothing created, breakers closed, windows empty, flags at their defaults, a clock of its own.
///
/// Any number of such tests run in parallel in one process without seeing each other; `lifecycle::testing` has what moves the
/// clock and reads the events of the world.
///
/// ```
/// use lifecycle::{circuit_breaker, testing};
/// use std::time::Duration;
///
/// #[circuit_breaker(threshold = 1, timeout = 30)]
/// fn fetch(ok: bool) -> Result<(), Box<dyn std::error::Error>> {
///     if ok { Ok(()) } else { Err("down".into()) }
/// }
///
/// #[lifecycle::test]
/// fn opens_and_closes() {
///     fetch(false).unwrap_err();
///     fetch(true).unwrap_err();
///     testing::advance(Duration::from_secs(30));
///     fetch(true).unwrap();
/// }
/// ```
///
/// It takes the place of `#[test]` (which runs the test a second time if it stands above), and keeps `#[should_panic]`,
/// `#[ignore]` and a `Result` that the function returns. On an `async fn` it stands above or below the attribute of the
/// runtime; above is right for all of them:
///
/// ```
/// #[lifecycle::test]
/// #[tokio::test]
/// async fn asynchronous() -> Result<(), std::io::Error> {
///     Ok(())
/// }
/// ```
///
/// Any attribute whose path ends in `test` will do; then this one adds no `#[test]` of its own. What the body spawns is outside
/// the world unless it is given `lifecycle::Context::capture()`. The only option is `crate = path`. Write it with its path: as
/// `use lifecycle::test;` it would hide the language's own `#[test]`.
#[proc_macro_attribute]
pub fn test(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("lifecycle::test", args.into(), item.into(), isolated_test::isolated_test).into()
}

/// How stacked guards find each other; written by the macros only.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn __guard_part(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("guard_part", args.into(), item.into(), guarded_fn::guard_part).into()
}
