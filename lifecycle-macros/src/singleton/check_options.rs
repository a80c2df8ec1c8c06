//! Which options do not go together, each reason on its token.

use super::hooks;
use super::model::FACTORIES;
use crate::errors::Errors;
use crate::item::Function;
use crate::item::{says_self, self_in};
use crate::names::snake_case;
use crate::options::{Needed, Options};
use proc_macro2::Ident;

pub(super) fn of_type(options: &Options, ident: &Ident, errors: &mut Errors) {
    let mut factories = FACTORIES.into_iter().filter(|key| options.mentions(key));
    if let Some(first) = factories.next() {
        for second in factories.filter_map(|key| options.ident(key)) {
            errors.on(second, format!("`{first}` says already what makes the value: leave one of the two away"));
        }
    }
    let fallible = FACTORIES.into_iter().any(|key| key.starts_with("try") && options.mentions(key));
    if let Some(word) = options.ident("keyed") {
        let name = snake_case(ident);
        errors.on(word, format!("one instance for each key needs the key: `#[singleton(keyed)] fn {name}(key: &str) -> {ident} {{ .. }}`, and nothing on the type"));
    }
    everywhere(options, fallible, "with `try_factory` or `try_async_factory`", errors);
    for key in FACTORIES.into_iter().chain(hooks::NAMES) {
        no_self(options, key, &format!("`{ident}`"), errors);
    }
    not_itself(options, |needed| matches!(needed, Needed::Type(path) if path.is_ident(ident)), errors);
}

pub(super) fn of_function(options: &Options, function: &Function, errors: &mut Errors) {
    let name = &function.sig.ident;
    for ident in FACTORIES.into_iter().filter_map(|key| options.ident(key)) {
        errors.on(ident, format!("the body of `{name}` is the factory: leave `{ident}` away"));
    }
    everywhere(
        options,
        super::check::says_result(&function.sig.output),
        "with a function that returns a `Result<T, E>`",
        errors,
    );
    if let (Some(eager), true) = (options.ident("eager"), says_self(function.body.stream())) {
        errors.on(eager, format!("`warm_up` cannot call a body that says `Self`: write the type's name in `{name}`"));
    }
    for key in hooks::NAMES {
        no_self(options, key, "the type's name", errors);
    }
    not_itself(options, |needed| matches!(needed, Needed::Function(path) if path.is_ident(name)), errors);
}

/// What holds for every form. `fallible`: creating can fail, as it does `only_there`.
fn everywhere(options: &Options, fallible: bool, only_there: &str, errors: &mut Errors) {
    if options.chooses("scope", "invocation") {
        of_an_invocation(options, errors);
    } else if !options.mentions("swap") {
        for (key, does) in [("refresh", "makes the instance anew"), ("on_change", "hears of another instance")] {
            if let Some(ident) = options.ident(key) {
                errors.on(
                    ident,
                    format!("`{key}` {does}, and without `swap` there is one for ever: write `swap, {key} = ..`"),
                );
            }
        }
    }
    if options.chooses("scope", "invocation") && options.mentions("keyed") {
        // Said above.
    } else if options.mentions("keyed") {
        let eager =
            "`eager` cannot know the keys: leave it away, and call the function with those that are needed early";
        let swap = "`swap` replaces one instance, and here each key has its own: leave one of the two away";
        for (key, message) in [("eager", eager), ("swap", swap)] {
            if let Some(ident) = options.ident(key) {
                errors.on(ident, message);
            }
        }
    } else if let Some(ident) = options.ident("max_keys") {
        errors.on(ident, "without `keyed` there is one instance: write `keyed, max_keys = ..`, or leave it away");
    }
    if let (Some(ident), false) = (options.ident("retry_backoff"), fallible) {
        errors.on(
            ident,
            format!(
                "`retry_backoff` refuses for a while after an error, and this cannot give one: it goes {only_there}"
            ),
        );
    }
}

/// What goes with the process, or makes anew what an invocation has once.
fn of_an_invocation(options: &Options, errors: &mut Errors) {
    let mistakes = [
        (
            "eager",
            "`eager` is created before any invocation, and this is created in each: leave one of the two away; what all of them need is a process-wide singleton of its own",
        ),
        (
            "swap",
            "`swap` replaces the one instance of the process, and here each invocation has its own: leave one of the two away",
        ),
        (
            "refresh",
            "`refresh` makes an instance anew that lives long, and this one goes with its invocation: leave it away",
        ),
        (
            "on_change",
            "`on_change` hears of another instance in the place of one, and each invocation has its own: leave it away",
        ),
        (
            "before_snapshot",
            "`before_snapshot` is called when no invocation is under way, so nothing of this lives then: leave it away; what an invocation leaves behind its `shutdown` hook clears",
        ),
        (
            "after_restore",
            "`after_restore` is called before the first invocation after a snapshot, so nothing of this lives then: leave it away, the factory runs in each invocation",
        ),
        (
            "keyed",
            "`keyed` has one map for the process: leave one of the two away; for a map an invocation keep one in the value, `#[singleton(scope = invocation)] fn tables() -> Mutex<HashMap<..>> { .. }`",
        ),
    ];
    for (key, message) in mistakes {
        if let Some(ident) = options.ident(key) {
            errors.on(ident, message);
        }
    }
}

/// Callables stand in an item of their own, where `Self` means nothing.
pub(super) fn no_self(options: &Options, key: &str, instead: &str, errors: &mut Errors) {
    if let Some(word) = options.callable_tokens(key).and_then(self_in) {
        errors.on(word, format!("`Self` is not known here: write {instead}"));
    }
}

pub(crate) fn not_itself(options: &Options, is_itself: impl Fn(&Needed) -> bool, errors: &mut Errors) {
    for needed in options.listed("depends_on").iter().filter(|needed| is_itself(needed)) {
        errors.on(needed.tokens(), "it cannot need itself: leave this away");
    }
}
