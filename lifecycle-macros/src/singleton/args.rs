//! What may stand in `#[singleton(..)]`.

use crate::errors::Errors;
use crate::options::{Grammar, Key, Options, Wanted};
use proc_macro2::TokenStream;

const fn key(name: &'static str, wanted: Wanted, example: &'static str) -> Key {
    Key { name, wanted, example }
}

/// The options.
pub(crate) const GRAMMAR: Grammar = Grammar {
    name: "singleton",
    leading: None,
    positional: None,
    keys: &[
        key("factory", Wanted::Callable, "factory = Config::load"),
        key("try_factory", Wanted::Callable, "try_factory = Config::load"),
        key("async_factory", Wanted::Callable, "async_factory = Pool::connect"),
        key("try_async_factory", Wanted::Callable, "try_async_factory = Pool::connect"),
        key("eager", Wanted::Word, "eager"),
        key("swap", Wanted::Word, "swap"),
        key("refresh", Wanted::Duration, "refresh = \"5m\""),
        key("keyed", Wanted::Word, "keyed"),
        key("max_keys", Wanted::Count, "max_keys = 1024"),
        key("depends_on", Wanted::Singletons, "depends_on(Config, db)"),
        key("init_timeout", Wanted::Duration, "init_timeout = \"5s\""),
        key("retry_backoff", Wanted::Pauses, "retry_backoff = \"100ms..10s\""),
        key("shutdown", Wanted::Callable, "shutdown = Pool::close"),
        key("before_snapshot", Wanted::Callable, "before_snapshot = Pool::close_all"),
        key("after_restore", Wanted::Callable, "after_restore = Pool::connect_again"),
        key("on_retire", Wanted::Callable, "on_retire = |pool| pool.drain()"),
        key("reset", Wanted::Callable, "reset = Cache::clear"),
        key("pressure", Wanted::Callable, "pressure = Cache::shrink"),
        key("health", Wanted::Callable, "health = Pool::ping"),
        key("memory", Wanted::Callable, "memory = Cache::bytes"),
        key("on_change", Wanted::Callable, "on_change = |old, new| new.apply(old)"),
        key("name", Wanted::Text, "name = \"config\""),
        key("crate", Wanted::Path, "crate = facade::lifecycle"),
        key("scope", Wanted::OneOf(&["process", "invocation"]), "scope = invocation"),
    ],
    later: &[],
    teaches: &[
        ("init", "what makes the value is `factory = path`"),
        ("new", "what makes the value is `factory = path`"),
        ("constructor", "what makes the value is `factory = path`"),
        ("default", "without a factory, `Default` makes the value"),
        ("lazy", "a singleton is always created on first use; `eager` has `warm_up` create it"),
        ("fallible", "a factory that returns a `Result` is `try_factory = path`"),
        ("async_try_factory", "a factory that is async and returns a `Result` is `try_async_factory = path`"),
        (
            "ttl",
            "a singleton lives as long as the process; values that expire belong in a cache, and one that is to be made anew now and then is `swap, refresh = \"5m\"`",
        ),
        ("per_invocation", "one instance for each invocation is `scope = invocation`"),
        ("request_scoped", "one instance for each invocation is `scope = invocation`"),
        ("transient", "one instance for each invocation is `scope = invocation`; for one a use a plain function does"),
        ("on_snapshot", "what is to happen before a snapshot is `before_snapshot = path`"),
        ("on_restore", "what is to happen after a snapshot was restored is `after_restore = path`"),
        ("drop", "a singleton is never dropped; what is to happen at the end is `shutdown = path`"),
        ("on_shutdown", "what is to happen at the end is `shutdown = path`"),
        ("dependencies", "what it uses is `depends_on(Config, db)`"),
        ("timeout", "how long somebody waits for its creation is `init_timeout = \"5s\"`"),
        (
            "retry",
            "a failed creation is tried again by the next caller; `retry_backoff = \"100ms..10s\"` is the pause before that",
        ),
    ],
};

/// The options of one use.
pub(super) struct Args {
    pub(super) options: Options,
}

impl Args {
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        Self { options: Options::parse(tokens, &GRAMMAR, errors) }
    }
}
