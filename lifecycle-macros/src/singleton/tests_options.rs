//! Mistakes in the options of singletons: each once, all at once, and what they say.

use super::singleton;
use proc_macro2::TokenStream;
use quote::quote;

/// The messages that `#[singleton(args)] item` gives.
fn said(args: &str, item: TokenStream) -> Vec<String> {
    let args = args.parse().unwrap_or_else(|error| panic!("{error}: {args}"));
    let expanded = singleton(args, item).to_string();
    let message = |rest: &str| rest.split('"').next().unwrap_or_default().to_owned();
    expanded.replace("\\\"", "'").split("compile_error ! { \"").skip(1).map(message).collect()
}

fn on_type(args: &str) -> Vec<String> {
    said(
        args,
        quote!(
            struct Config;
        ),
    )
}

fn on_function(args: &str) -> Vec<String> {
    said(
        args,
        quote!(
            fn db() -> Result<Pool, DbError> {
                connect()
            }
        ),
    )
}

#[test]
fn right_options_are_right() {
    for args in [
        "",
        "eager",
        "eager,",
        "swap, eager, refresh = \"5m\"",
        "swap, on_change = |old, new| tell(old, new)",
        "depends_on(Config2, app::db, POOL, \"by name\",)",
        "init_timeout = \"5s\", scope = process",
        "init_timeout = LIMIT * 2",
        "shutdown = Config::close, on_retire = |x| drop(x), reset = a::b, pressure = p, health = h, memory = |_| 3",
    ] {
        assert_eq!(on_type(args), Vec::<String>::new(), "{args}");
        assert_eq!(on_function(args), Vec::<String>::new(), "{args}");
    }
    for args in
        ["factory = Config::load", "try_factory = load", "async_factory = || async { 3 }", "try_async_factory = load"]
    {
        assert_eq!(on_type(args), Vec::<String>::new(), "{args}");
    }
    for args in [
        "retry_backoff = \"100ms\"",
        "retry_backoff = \"100ms..10s\"",
        "retry_backoff = FIRST..MOST",
        "retry_backoff = PAUSE",
    ] {
        assert_eq!(on_function(args), Vec::<String>::new(), "{args}");
        assert_eq!(on_type(&format!("try_factory = load, {args}")), Vec::<String>::new(), "{args}");
    }
}

#[test]
fn words_and_lists_are_written_in_their_way() {
    for (args, says) in [
        ("swap = true", "write the word alone, `swap`"),
        ("swap = false", "leave it away"),
        ("swap = 3", "write the word alone"),
        ("swap =", "write the word alone"),
        ("swap()", "takes nothing: write the word alone"),
        ("eager()", "takes nothing: write the word alone"),
        ("eager::now", "write the word alone"),
        ("eager swap", "expected `,` before this"),
        ("swap, swap", "`swap` is given twice; the first is `swap`"),
        ("depends_on", "needs a list in parentheses: write `depends_on(Config, db)`"),
        ("depends_on = Config", "in parentheses, without `=`"),
        ("depends_on = [Config, db]", "in parentheses, without `=`"),
        ("depends_on()", "lists nothing"),
        ("depends_on(db())", "without a call"),
        ("depends_on(&POOL)", "without `&`"),
        ("depends_on(\"\")", "cannot be empty"),
        ("depends_on(Self)", "write the type's name"),
        ("depends_on(3)", "lists singletons"),
        ("depends_on(Cache<u8>)", "lists singletons"),
        ("depends_on(a::)", "lists singletons"),
        ("depends_on(, a)", "lists singletons"),
        ("depends_on(a b)", "lists singletons"),
        ("depends_on(db, pool, db)", "`db` is listed twice"),
        ("depends_on(a), depends_on(b)", "given twice; the first is `depends_on(..)`"),
        ("factory(load)", "needs `=` and a value"),
        ("scope = invocations", "`invocations` is no value of `scope`, did you mean `invocation`?"),
        ("scope = request", "`request` is no value of `scope`; there are: `process`, `invocation`"),
        ("scope = \"process\"", "without quotes, `scope = process`"),
        ("scope", "`scope`"),
        ("scope = invocation, eager", "is created before any invocation"),
        ("scope = invocation, swap", "each invocation has its own"),
        ("scope = invocation, swap, refresh = \"5m\"", "goes with its invocation"),
        ("scope = invocation, on_change = f", "each invocation has its own"),
        ("scope = invocation, before_snapshot = f", "no invocation is under way"),
        ("scope = invocation, after_restore = f", "the factory runs in each"),
        ("scope = invocation, keyed", "one map for the process"),
        ("per_invocation", "one instance for each invocation is `scope = invocation`"),
        ("on_restore = f", "`after_restore = path`"),
        ("max_keys = 0, keyed", "at least 1"),
    ] {
        let said = on_type(args);
        assert!(said.iter().any(|said| said.contains(says)), "{args}: {said:?}");
    }
    for (args, mistakes) in [("depends_on(3, db(), a, a)", 3), ("swap = true, eager(), refresh", 3), ("eager = 1", 1)] {
        assert_eq!(on_type(args).len(), mistakes, "{args}: {:?}", on_type(args));
    }
}

#[test]
fn pauses_and_times_say_what_to_write() {
    for (args, says) in [
        ("retry_backoff = \"10s..100ms\"", "write the short one first"),
        ("retry_backoff = \"100ms..\"", "the first pause and the longest"),
        ("retry_backoff = \"..10s\"", "the first pause and the longest"),
        ("retry_backoff = FIRST..", "the first pause and the longest"),
        ("retry_backoff = \"100ms..=10s\"", "write `..` between"),
        ("retry_backoff = \"100ms...10s\"", "write `..` between"),
        ("retry_backoff = \"100ms..10\"", "has no unit"),
        ("retry_backoff = \"0s\"", "longer than zero"),
        ("retry_backoff = 5", "needs a unit: write `retry_backoff = '5s'`"),
        ("retry_backoff = true", "is a duration"),
        ("init_timeout = 5", "needs a unit"),
        ("init_timeout = \"5mins\"", "did you mean '5min'?"),
        ("init_timeout = \"5 seconds\"", "did you mean '5s'?"),
        ("init_timeout = \"5 parsecs\"", "is not a unit of time; there are"),
    ] {
        let said = on_function(args);
        assert!(said.len() == 1 && said[0].contains(says), "{args}: {said:?}");
    }
}

#[test]
fn options_that_do_not_go_together_are_told() {
    for (args, says) in [
        ("factory = a, try_factory = b", "`factory` says already"),
        ("try_async_factory = a, async_factory = b", "`async_factory` says already"),
        ("refresh = \"5m\"", "write `swap, refresh = ..`"),
        ("on_change = f", "write `swap, on_change = ..`"),
        ("keyed", "fn config(key: &str) -> Config { .. }"),
        ("max_keys = 3", "without `keyed`"),
        ("retry_backoff = \"1s\"", "it goes with `try_factory` or `try_async_factory`"),
        ("factory = a, retry_backoff = \"1s\"", "cannot give one"),
        ("factory = Self::load", "write `Config`"),
        ("shutdown = |x| Self::close(x)", "write `Config`"),
        ("depends_on(db, Config)", "it cannot need itself"),
        ("timeout = 3", "`init_timeout = '5s'`"),
        ("ttl = 3", "`swap, refresh = '5m'`"),
    ] {
        let said = on_type(args);
        assert!(said.len() == 1 && said[0].contains(says), "{args}: {said:?}");
    }
    for (args, says) in [
        ("try_async_factory = a", "leave `try_async_factory` away"),
        ("depends_on(db)", "it cannot need itself"),
        ("reset = Self::reset", "write the type's name"),
    ] {
        let said = on_function(args);
        assert!(said.len() == 1 && said[0].contains(says), "{args}: {said:?}");
    }
    let said = said(
        "eager, retry_backoff = \"1s\"",
        quote!(
            fn table() -> Table {
                Self::build()
            }
        ),
    );
    assert!(said.len() == 2 && said[0].contains("a function that returns a `Result<T, E>`"), "{said:?}");
    assert!(said[1].contains("cannot call a body that says `Self`"), "{said:?}");
    let said = on_type("keyed, eager, swap");
    assert_eq!(said.len(), 3, "{said:?}");
}

#[test]
fn after_a_mistake_callers_find_the_accessors_of_the_form_they_meant() {
    for (args, finds) in [
        (
            "swap, nonsense",
            "fn try_current () -> :: lifecycle :: __private0 :: core :: result :: Result < :: lifecycle :: Current < Config >",
        ),
        ("try_async_factory = 3", "async fn try_instance ()"),
    ] {
        let expanded = singleton(
            args.parse().unwrap_or_default(),
            quote!(
                struct Config;
            ),
        )
        .to_string();
        assert!(expanded.contains(finds), "{expanded}");
    }
    let expanded = singleton(
        quote!(swap = true),
        quote!(
            async fn f() -> Result<u8, E> {
                g().await
            }
        ),
    )
    .to_string();
    assert!(expanded.starts_with("async fn f () -> Result < :: lifecycle :: Current < u8 > , E >"), "{expanded}");
}
