//! What the options of one guard cannot say together, and what an item cannot have said about it.

use super::guard::{Guard, Member, Source};
use super::{Kind, check_way_out};
use crate::errors::Errors;
use crate::item::{Function, outer_self_in, says_self};
use crate::options::Options;
use proc_macro2::{Ident, TokenStream};
use quote::ToTokens as _;
use syn::Safety;

/// The options that are about each call: they go with the function, wherever the guard is.
const PER_CALL: [&str; 7] = ["on_rejected", "fallback", "ignore", "failure_if", "permits", "on_limit", "crate"];

fn is_per_call(ident: &Ident) -> bool {
    PER_CALL.iter().any(|key| ident == key)
}

/// Whatever the item is.
pub(super) fn check(kind: Kind, options: &Options, errors: &mut Errors) {
    check_way_out(options, errors);
    let noun = kind.noun();
    let others = |key| options.idents().filter(move |ident| *ident != key);
    if options.mentions("skip") {
        for other in others("skip") {
            errors.on(
                other,
                format!("`skip` leaves the method out, so there is nothing more to say: leave `{other}` away"),
            );
        }
        if let Some(given) = &options.positional {
            errors.on(given, format!("`skip` leaves the method out, so it needs no {noun}: leave one of the two away"));
        }
        return;
    }
    if options.mentions("include") {
        for other in others("include").filter(|other| !is_per_call(other)) {
            errors.on(
                other,
                format!("`include` takes the {noun} of the impl block, and `{other}` belongs to that: write it there, or leave `include` away for a {noun} of the method's own"),
            );
        }
        if let Some(given) = &options.positional {
            errors.on(given, format!("`include` takes the {noun} of the impl block: leave one of the two away"));
        }
        return;
    }
    if options.positional.is_some() {
        let one = kind.example();
        for ident in options.idents().filter(|ident| !is_per_call(ident)) {
            let message = match &*ident.to_string() {
                "key" | "max_keys" => {
                    format!(
                        "`{ident}` makes one {noun} for each key, and this is one that exists: leave one of the two away"
                    )
                }
                "dispatch" => format!(
                    "`dispatch` gives the function to the {noun} that it declares: leave it away, or give the function a {noun} of its own"
                ),
                _ => format!("`{ident}` belongs to the {noun} itself: write it where that is declared, as in `{one}`"),
            };
            errors.on(ident, message);
        }
        return;
    }
    if let Some(ident) = options.ident("max_keys").filter(|_| !options.mentions("key")) {
        errors.on(ident, format!("without `key` there is one {noun}: add `key = ..`, or leave `max_keys` away"));
    }
}

/// Options that need something of the function.
pub(super) fn on_function(guard: &Guard, function: &Function, errors: &mut Errors) {
    let Some(dispatch) = &guard.dispatch else { return };
    let sig = &function.sig;
    let name = &sig.ident;
    let cannot = if sig.asyncness.is_some() {
        "`execute` waits for nothing, and this function is async"
    } else if sig.receiver().is_some() {
        "`execute` has no value to call a method of"
    } else if !sig.inputs.is_empty() {
        "`execute` has no arguments to give"
    } else if !sig.generics.params.is_empty() {
        "`execute` cannot tell the generic parameters"
    } else if matches!(sig.safety, Safety::Unsafe(_)) {
        "`execute` is safe, and this function is not"
    } else if says_self(sig.to_token_stream()) || outer_self_in(function.body.stream()).is_some() {
        NO_SELF
    } else {
        return;
    };
    errors.on(dispatch, not_dispatched(cannot, name));
}

/// In a function that `execute` calls.
const NO_SELF: &str = "`execute` has no `Self` to call it for (the type's name would do)";

fn not_dispatched(cannot: &str, name: &Ident) -> String {
    format!("{cannot}: put `dispatch` on a free function without arguments that calls `{name}`, or leave it away")
}

/// A function that `execute` calls, with its guards: their options may say `Self`, too.
pub(super) fn on_dispatched(function: &Function, body: &TokenStream) -> syn::Result<()> {
    outer_self_in(body.clone())
        .map_or(Ok(()), |word| Err(syn::Error::new(word.span(), not_dispatched(NO_SELF, &function.sig.ident))))
}

/// On a static there is no call to speak of.
pub(super) fn on_static(guard: &Guard, errors: &mut Errors) {
    let (name, noun, user) = (guard.kind.macro_name(), guard.kind.noun(), guard.kind.user());
    for ident in guard.idents.iter().filter(|ident| is_per_call(ident) && *ident != "crate") {
        errors.on(
            ident,
            format!("`{ident}` is about calls, and a static makes none: write it where the {noun} is used, `#[{name}({user}, {ident} = ..)]`"),
        );
    }
    for key in ["key", "max_keys"].into_iter().filter_map(|key| guard.ident(key)) {
        errors.on(
            key,
            format!(
                "`{key}` is about a function's arguments, and a static has none: put the attribute on the function"
            ),
        );
    }
    no_function(guard, "a static", errors);
    if let Source::Given(given) = &guard.source {
        errors.on(given, format!("this declares a {noun}, and names another: leave it away"));
    }
    no_member(guard, "a static", errors);
}

/// An impl block has the options of a guard and of its calls, but no arguments.
pub(super) fn on_impl(guard: &Guard, errors: &mut Errors) {
    for key in ["key", "max_keys"].into_iter().filter_map(|key| guard.ident(key)) {
        errors.on(
            key,
            format!(
                "`{key}` is about the arguments of one function: put `#[{}({key} = ..)]` on the methods",
                guard.kind.macro_name()
            ),
        );
    }
    no_function(guard, "an impl block", errors);
    no_member(guard, "an impl block", errors);
}

fn no_function(guard: &Guard, what: &str, errors: &mut Errors) {
    if let Some(dispatch) = &guard.dispatch {
        errors.on(
            dispatch,
            format!("`dispatch` gives a function to `execute`, and {what} is none: put it on the function"),
        );
    }
}

fn no_member(guard: &Guard, what: &str, errors: &mut Errors) {
    if let Some(Member::Skip(ident) | Member::Include(ident)) = &guard.member {
        errors.on(
            ident,
            format!(
                "`{ident}` is about a method of an impl block with `#[{}]`, and stands on that method, not on {what}",
                guard.kind.macro_name()
            ),
        );
    }
}

/// `skip` and `include` where no impl block has the guard.
pub(super) fn without_impl(kind: Kind, member: &Member, errors: &mut Errors) {
    let (name, noun) = (kind.macro_name(), kind.noun());
    match member {
        Member::Skip(ident) => errors.on(
            ident,
            format!("`skip` leaves a method out of the `#[{name}]` on its impl block, and there is none: remove the attribute"),
        ),
        Member::Include(ident) => errors.on(
            ident,
            format!("`include` takes a method into the `#[{name}]` on its impl block, and there is none: put one there, or leave `include` away for a {noun} of the function's own"),
        ),
    }
}
