//! What holds for all macros: broken input keeps the item, and nothing panics.

use crate::tests::{MACROS, tokens};
use proc_macro2::TokenStream;
use quote::quote;

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
