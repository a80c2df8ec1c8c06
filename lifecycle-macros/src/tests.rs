//! What holds for all macros: output is the same each time, and clean. (`tests_broken`: broken input keeps the item.)

use crate::{circuit_breaker, guarded_fn, init_flag, isolated_test, rate_limit, singleton};
use proc_macro2::TokenStream;
use quote::quote;

pub(crate) type Macro = fn(TokenStream, TokenStream) -> TokenStream;

pub(crate) const MACROS: [(&str, Macro); 6] = [
    ("singleton", singleton::singleton),
    ("circuit_breaker", circuit_breaker::circuit_breaker),
    ("rate_limit", rate_limit::rate_limit),
    ("init_flag", init_flag::init_flag),
    ("guard_part", guarded_fn::guard_part),
    ("lifecycle::test", isolated_test::isolated_test),
];

/// The expansion, formatted.
pub(crate) fn pretty(expanded: &TokenStream) -> String {
    let file = syn::parse2(expanded.clone()).unwrap_or_else(|error| panic!("{error}: {expanded}"));
    prettyplease::unparse(&file)
}

/// The expansion of a method, formatted inside its `impl`.
pub(crate) fn pretty_method(expanded: &TokenStream) -> String {
    pretty(&quote!(impl Service { #expanded }))
}

/// The errors in an expansion.
pub(crate) fn mistakes(expanded: TokenStream) -> Vec<String> {
    let tokens: Vec<_> = expanded.into_iter().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let proc_macro2::TokenTree::Group(group) = token else { continue };
        let is_error = at >= 2 && tokens[at - 1].to_string() == "!" && tokens[at - 2].to_string() == "compile_error";
        match syn::parse2::<syn::LitStr>(group.stream()) {
            Ok(text) if is_error => found.push(text.value()),
            _ => found.extend(mistakes(group.stream())),
        }
    }
    found
}

pub(crate) fn tokens(text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn the_same_input_gives_the_same_output() {
    let cases = [
        (
            0,
            quote!(factory = make),
            quote!(
                struct S;
            ),
        ),
        (
            0,
            quote!(swap, depends_on(Config, db), retry_backoff = A..B, shutdown = close, health = |x| x.ping()),
            quote!(
                async fn f() -> Result<u8, E> {
                    g().await
                }
            ),
        ),
        (
            0,
            quote!(keyed, max_keys = N),
            quote!(
                fn f(a: &str, (b, c): (u8, u8)) -> Result<u8, E> {
                    a
                }
            ),
        ),
        (
            1,
            quote!(threshold = N, name = "x", timeout = D),
            quote!(
                async fn f(&self, (a, b): (u8, u8)) -> Result<u8, E> {
                    a
                }
            ),
        ),
        (
            2,
            quote!("3/s", fallback = g),
            quote!(
                fn f(&self, (a, b): (u8, u8)) -> Result<u8, E> {
                    a
                }
            ),
        ),
        (
            3,
            quote!(env = "X"),
            quote!(
                static X: Flag<bool> = true;
            ),
        ),
        (
            1,
            quote!(
                failure_rate = N,
                window = W,
                minimum_calls = N,
                backoff = exponential(factor = F, cap = D, jitter = N),
                cancelled = neutral,
                ignore = f,
                failure_if = g,
                key = a,
                max_keys = N
            ),
            quote!(
                async fn f(a: u8) -> Result<u8, E> {
                    a
                }
            ),
        ),
        (
            1,
            quote!(dispatch),
            quote!(
                fn f() -> Result<u8, E> {
                    g()
                }
            ),
        ),
        (
            2,
            quote!(self.limiter),
            quote!(
                fn f(&mut self) -> Result<u8, E> {
                    g()
                }
            ),
        ),
        (
            1,
            quote!(threshold = N),
            quote!(
                static X: CircuitBreaker;
            ),
        ),
        (
            2,
            quote!("3/s", on_rejected = f),
            quote!(
                impl<T> X for S<T> {
                    fn f() -> Result<u8, E> {
                        g()
                    }
                }
            ),
        ),
    ];
    for (which, args, item) in cases {
        let expand = MACROS[which].1;
        let first = expand(args.clone(), item.clone()).to_string();
        assert_eq!(first, expand(args, item).to_string());
    }
}

#[test]
fn expansions_are_free_of_unsafe_and_of_bare_paths() {
    let cases = [
        (
            0,
            quote!(),
            quote!(
                pub struct S;
            ),
        ),
        (
            0,
            quote!(),
            quote!(
                fn f() -> Result<u8, E> {
                    g()
                }
            ),
        ),
        (
            0,
            quote!(
                swap,
                try_async_factory = make,
                eager,
                refresh = "5m",
                init_timeout = N,
                retry_backoff = "1s..2s",
                depends_on(A, b, C_D, "e"),
                shutdown = f,
                on_retire = f,
                reset = f,
                pressure = f,
                health = f,
                memory = f,
                on_change = f
            ),
            quote!(
                pub struct S;
            ),
        ),
        (
            0,
            quote!(swap),
            quote!(
                async fn f() -> Result<u8, E> {
                    Self::g().await
                }
            ),
        ),
        (
            0,
            quote!(retry_backoff = "1s", memory = |x| x.len()),
            quote!(
                async fn f() -> Result<u8, E> {
                    g().await
                }
            ),
        ),
        (
            0,
            quote!(keyed, max_keys = N),
            quote!(
                async fn f(a: &str, (b, c): (u8, u8)) -> Result<u8, E> {
                    g()
                }
            ),
        ),
        (
            0,
            quote!(),
            quote!(
                fn f() -> Result<Self, E> {
                    g()
                }
            ),
        ),
        (
            0,
            quote!(),
            quote!(
                static X: Lazy<u8> = g();
            ),
        ),
        (
            5,
            quote!(),
            quote!(
                #[tokio::test]
                async fn f() -> Result<u8, E> {
                    g()
                }
            ),
        ),
        (
            1,
            quote!(threshold = N),
            quote!(
                async fn f(&self) -> Result<u8, E> {
                    g()
                }
            ),
        ),
        (
            2,
            quote!("3/s"),
            quote!(
                fn f(&self) -> Result<u8, E> {
                    g()
                }
            ),
        ),
        (
            3,
            quote!(env = "X"),
            quote!(
                static X: Flag<bool> = true;
            ),
        ),
        (
            1,
            quote!(
                failure_rate = N,
                window = W,
                minimum_calls = N,
                backoff = exponential(factor = F, cap = D, jitter = N),
                cancelled = neutral,
                ignore = f,
                failure_if = g,
                key = a,
                max_keys = N
            ),
            quote!(
                async fn f(a: u8) -> Result<u8, E> {
                    a
                }
            ),
        ),
        (
            1,
            quote!(dispatch),
            quote!(
                fn f() -> Result<u8, E> {
                    g()
                }
            ),
        ),
        (
            2,
            quote!(self.limiter),
            quote!(
                fn f(&mut self) -> Result<u8, E> {
                    g()
                }
            ),
        ),
        (
            1,
            quote!(threshold = N),
            quote!(
                static X: CircuitBreaker;
            ),
        ),
        (
            2,
            quote!("3/s", on_rejected = f),
            quote!(
                impl<T> X for S<T> {
                    fn f() -> Result<u8, E> {
                        g()
                    }
                }
            ),
        ),
    ];
    for (which, args, item) in cases {
        let output = MACROS[which].1(args, item).to_string();
        assert!(!output.contains("unsafe"), "{output}");
        for outside in ["std ::", "core ::", "lifecycle ::"] {
            let bare = output.match_indices(outside).any(|(at, _)| !output[..at].ends_with(":: "));
            assert!(!bare, "a path in the user's hands: {outside} in {output}");
        }
    }
}
