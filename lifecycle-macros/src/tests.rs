//! What holds for all macros: broken input keeps the item, output is the same each time, nothing panics.

use crate::{circuit_breaker, guarded_fn, init_flag, isolated_test, rate_limit, singleton};
use proc_macro2::TokenStream;
use quote::quote;

type Macro = fn(TokenStream, TokenStream) -> TokenStream;

const MACROS: [(&str, Macro); 6] = [
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

/// Checklist F62: what an editor sends while its user types.
#[test]
fn broken_input_keeps_the_item() {
    let args = [
        "",
        "na",
        "name =",
        "name = )",
        "factory = make::",
        "\"100/",
        "\"100/s\"",
        "= =",
        "threshold = 3 3",
        "crate = ",
        "name = \"x\" name",
        "swap, eager",
        "swap = , eager(",
        "depends_on",
        "depends_on(Config, a::, \"x\" 3)",
        "retry_backoff = \"..\"",
        "async_factory = |",
        "shutdown = Self::close, keyed",
        "HA",
        "self.breaker, on_rejected = |",
        "key = (id, max_keys = 3",
        "backoff = exponential(factor = , window = \"100",
        "skip",
        "include, ignore = |e|",
    ];
    let items = [
        "fn f() { x. }",
        "fn f() { if 1 }",
        "fn f() ->",
        "fn f() -> {}",
        "fn f() -> Result<u8, E> { x. }",
        "fn",
        "pub",
        "",
        "#[doc] fn f(x: ) {}",
        "struct",
        "struct S",
        "struct S<T { x: u8 }",
        "static X",
        "static X: = 1;",
        "static X: Flag<bool> = ;",
        "static X: Flag<bool> = tr",
        "static X: Lazy<u8> = Lazy::new(",
        "static X: Lazy<u8> = Lazy::new(|",
        "fn f(a: &str, b) -> u8 { a }",
        "fn f(a: , b: u8) -> u8 { a }",
        "async fn f() -> impl",
        "const unsafe extern fn",
        "enum E { A( }",
        "impl",
        "impl S {",
        "impl S { fn f() -> Result<u8, E> { x. } fn }",
        "impl<T> X for S<T> { const A: u8 = 3; fn f() -> Result<u8, E>; fn g( }",
        "static HA: CircuitBreaker;",
        "static HA: ;",
    ];
    for (name, expand) in MACROS {
        for args in args.iter().filter_map(|args| args.parse::<TokenStream>().ok()) {
            for item in items.iter().filter_map(|item| item.parse::<TokenStream>().ok()) {
                let output = expand(args.clone(), item.clone()).to_string();
                // Every word of the item is still there.
                let words = flat(&item).into_iter().filter(|word| word.starts_with(char::is_alphabetic));
                for word in words {
                    assert!(output.contains(&word), "#[{name}({args})] {item} lost `{word}`: {output}");
                }
            }
        }
    }
}

fn flat(tokens: &TokenStream) -> Vec<String> {
    let mut words = Vec::new();
    for token in tokens.clone() {
        match token {
            proc_macro2::TokenTree::Group(group) => words.extend(flat(&group.stream())),
            token => words.push(token.to_string()),
        }
    }
    words
}

/// Checklist F65. A small generator with a fixed seed: a failure can be repeated.
#[test]
fn random_tokens_never_panic() {
    const WORDS: [&str; 79] = [
        "fn",
        "struct",
        "static",
        "enum",
        "async",
        "const",
        "unsafe",
        "extern",
        "pub",
        "impl",
        "dyn",
        "Future",
        "Output",
        "Pin",
        "Box",
        "Result",
        "Self",
        "self",
        "mut",
        "move",
        "->",
        "=",
        "==",
        "=>",
        ",",
        ";",
        ":",
        "::",
        "<",
        ">",
        "|",
        "||",
        "#",
        "!",
        "&",
        "'a",
        "-",
        "?",
        "..",
        "\"100/s\"",
        "\"x\"",
        "0",
        "3",
        "1.5",
        "3u8",
        "'c'",
        "name",
        "threshold",
        "timeout",
        "factory",
        "async_factory",
        "swap",
        "eager",
        "keyed",
        "depends_on",
        "retry_backoff",
        "shutdown",
        "await",
        "\"1s..2s\"",
        "crate",
        "env",
        "f",
        "T",
        "where",
        "for",
        "if",
        "r#type",
        "_",
        "true",
        "exponential",
        "backoff",
        "window",
        "\"10 calls\"",
        "key",
        "skip",
        "include",
        "HA",
        ".",
        "ignore",
    ];
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap_or_default()
    };
    let mut random = |length: usize| {
        let (mut text, mut open) = (String::new(), Vec::new());
        for _ in 0..length {
            match next(8) {
                0 => {
                    let (left, right) = [('(', ')'), ('{', '}'), ('[', ']')][next(3)];
                    text.push(left);
                    open.push(right);
                }
                1 => text.extend(open.pop()),
                _ => text.push_str(WORDS[next(WORDS.len())]),
            }
            text.push(' ');
        }
        text.extend(open.into_iter().rev());
        text.parse::<TokenStream>().unwrap_or_default()
    };
    let starts = [
        "",
        "fn f() -> Result<u8, E> { 1 }",
        "struct S;",
        "static X: Flag<bool> = true;",
        "static X: Lazy<u8> = Lazy::new(|| 3);",
        "fn f(a: &str, b: u8) -> Result<Self, E> { a }",
        "fn f",
        "static X :",
        "breaker ,",
        "static HA: CircuitBreaker;",
        "impl S { fn f(&self) -> Result<u8, E> { 1 } }",
        "impl S",
    ];
    for round in 0..6000 {
        let (args, tail) = (random(round % 9), random(round % 23));
        let start: TokenStream = tokens(starts[round % starts.len()]);
        for (_, expand) in MACROS {
            // A panic fails the test and names the tokens.
            let whole = if round % 2 == 0 { start.clone() } else { quote!(#start #tail) };
            expand(args.clone(), whole);
        }
    }
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
