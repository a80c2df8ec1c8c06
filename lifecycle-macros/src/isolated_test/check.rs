//! Which functions cannot be tests, each reason on its token.

use crate::errors::Errors;
use crate::item::Function;
use quote::quote;

pub(super) fn check(function: &Function, errors: &mut Errors) {
    let sig = &function.sig;
    if !sig.inputs.is_empty() {
        let inputs = &sig.inputs;
        errors.on(inputs, format!("nobody gives a test its arguments: call `{}` from the test", sig.ident));
    }
    if !sig.generics.params.is_empty() {
        errors.on(&sig.generics, "a test is run once: write the types out, or call the generic function from the test");
    }
    if let Some(token) = &sig.constness {
        errors.on(token, "a test is run by the harness, not by the compiler: remove `const`");
    }
    if let (Some(token), None) = (&sig.asyncness, harness(function)) {
        errors.on(
            quote!(#token),
            "an async test needs a runtime to run it: add `#[tokio::test]` below `#[lifecycle::test]`",
        );
    }
}

/// The attribute that makes a test of the function: `#[test]`, `#[tokio::test]`, `#[sqlx::test(..)]`.
pub(super) fn harness(function: &Function) -> Option<&syn::Attribute> {
    function.attrs.iter().find(|attr| attr.path().segments.last().is_some_and(|last| last.ident == "test"))
}
