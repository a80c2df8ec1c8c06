//! The attribute macros of the [`lifecycle`](https://docs.rs/lifecycle) crate. Depend on that one: it re-exports them.
//!
//! This file only dispatches. Each macro is a folder of `args` (what may be written) -> `model` (what it means) -> `check`
//! (what cannot be) -> `expand` (what comes out).

mod circuit_breaker;
mod entry;
mod errors;
mod guarded_fn;
mod init_flag;
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
/// ```ignore
/// use lifecycle::singleton;
///
/// #[singleton(try_factory = Config::load)] // Config::try_instance()? gives &'static Config
/// pub struct Config {
///     pub api: String,
/// }
///
/// #[singleton] // greeting() gives &'static String; the body runs once, on first use
/// fn greeting() -> String {
///     "hello".to_owned()
/// }
///
/// #[singleton] // db()? gives &'static Pool; after an error the next call tries again
/// fn db() -> Result<Pool, DbError> {
///     Pool::connect(&Config::try_instance()?.api)
/// }
/// ```
///
/// Options: `factory = path` or closure, `try_factory = ..` for one that returns a `Result` (without either, `Default`),
/// `name = ".."` (default: the name in snake_case), `crate = path` where `lifecycle` goes by another path.
#[proc_macro_attribute]
pub fn singleton(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("singleton", args.into(), item.into(), singleton::singleton).into()
}

/// Refuses calls for a while after too many failures, on a function or method, sync or async.
///
/// ```ignore
/// use lifecycle::circuit_breaker;
///
/// #[circuit_breaker(threshold = 3, timeout = 30)] // 3 failures in a row: refuse for 30 s, then try one call
/// async fn fetch_user(id: u64) -> Result<User, ApiError> { // ApiError: From<lifecycle::Rejected>
///     client().get(id).await
/// }
///
/// #[circuit_breaker(on_rejected = |rejected| format!("user {id}: {rejected}"))]
/// fn name_of(id: u64) -> Result<String, String> {
///     look_up(id)
/// }
/// ```
///
/// Options: `threshold = 5` failures in a row, `timeout = 60` (seconds, or `"250ms"`: how long it stays open, **not** a limit
/// on the call), `slow_call`, `half_open_calls`, `success_threshold`, `half_open_timeout`, `name`, `on_rejected = path` or closure
/// (gives the error of a `Result`, the whole value otherwise), `fallback = path` (the same arguments), `crate = path`.
/// Numbers and durations may be const expressions.
#[proc_macro_attribute]
pub fn circuit_breaker(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("circuit_breaker", args.into(), item.into(), circuit_breaker::circuit_breaker).into()
}

/// Never lets more than so many calls pass in any window of time.
///
/// ```ignore
/// use lifecycle::rate_limit;
///
/// #[rate_limit("100/s")] // also "1000/min", "5/250ms"
/// fn search(words: &str) -> Result<Vec<Hit>, SearchError> { // SearchError: From<lifecycle::Rejected>
///     index().search(words)
/// }
/// ```
///
/// Options: the rate, or `limit = N, window = "1s"` where they are const expressions; `name`, `on_rejected = path` or closure,
/// `fallback = path`, `crate = path`. Beside `#[circuit_breaker]` the order is fixed, whichever is written first: an open
/// breaker refuses without spending a permit, and a refusal by the limiter is never a failure.
#[proc_macro_attribute]
pub fn rate_limit(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("rate_limit", args.into(), item.into(), rate_limit::rate_limit).into()
}

/// A typed switch that can be set from the environment, at run time, and in tests.
///
/// ```ignore
/// use lifecycle::{init_flag, Flag};
///
/// #[init_flag(env = "USE_CACHE")] // USE_CACHE.get(): a load and a branch
/// static USE_CACHE: Flag<bool> = true;
/// ```
///
/// Options: `env = ".."` (read once, on first use), `name = ".."` (default: the name in lower case), `crate = path`.
#[proc_macro_attribute]
pub fn init_flag(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("init_flag", args.into(), item.into(), init_flag::init_flag).into()
}

/// How stacked guards find each other; written by the macros only.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn __guard_part(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::run("guard_part", args.into(), item.into(), guarded_fn::guard_part).into()
}
