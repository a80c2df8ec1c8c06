//! How an expression reaches its breaker or limiter: through a borrow for the time of the call, or without one.

use super::guard::{Guard, Source};
use crate::errors::Errors;
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Expr, FnArg, Pat, ReceiverKind, Signature, Type};

/// How.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// A borrow that holds until the call has ended.
    Shared,
    /// An owner: what is borrowed from is the body's to move or change.
    Owned,
}

impl Reach {
    pub(super) fn how(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Owned => "owned",
        }
    }
}

/// How the guard's own expression, if it has one, reaches what it names, in a function whose body runs beside it.
pub(super) fn reach(guard: &Guard, sig: &Signature, builds_future: bool) -> Reach {
    let Source::Given(given) = &guard.source else { return Reach::Shared };
    // The body of a function that builds a future has run, and has moved what it wanted, before the guard decides.
    let taken = |input: &FnArg| match input {
        FnArg::Receiver(receiver) => {
            !is_borrowed(&receiver.kind) && mentions(given.to_token_stream(), &["self".to_owned()])
        }
        FnArg::Typed(argument) => {
            !is_shared(&argument.ty) && root(given).is_some_and(|root| bound(&argument.pat).contains(&root.to_string()))
        }
    };
    if sig.inputs.iter().any(taken) || (builds_future && asks_arguments(given, sig)) {
        Reach::Owned
    } else {
        Reach::Shared
    }
}

/// Whether the expression needs the arguments.
pub(super) fn asks_arguments(expression: &Expr, sig: &Signature) -> bool {
    let names: Vec<String> = sig
        .inputs
        .iter()
        .flat_map(|input| match input {
            FnArg::Receiver(_) => vec!["self".to_owned()],
            FnArg::Typed(argument) => bound(&argument.pat),
        })
        .collect();
    mentions(expression.to_token_stream(), &names)
}

/// A fallback gets the arguments whole: what a pattern would have taken out of them is not there yet.
pub(super) fn check_patterns(guard: &Guard, sig: &Signature, errors: &mut Errors) {
    for input in &sig.inputs {
        let FnArg::Typed(argument) = input else { continue };
        if matches!(&*argument.pat, Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none()) {
            continue;
        }
        let names = bound(&argument.pat);
        for expression in guard.asks().filter(|expression| mentions(expression.to_token_stream(), &names)) {
            errors.on(
                expression,
                "`fallback` gets the arguments whole, so what a pattern takes out of one is not there yet: give the argument a name, and take it apart in the body",
            );
        }
    }
}

/// `&self`, `self: &Self`
fn is_borrowed(receiver: &ReceiverKind) -> bool {
    match receiver {
        ReceiverKind::Reference(_, _, mutability) => mutability.is_none(),
        ReceiverKind::Typed(_, ty) => is_shared(ty),
        _ => false,
    }
}

/// `&T`
fn is_shared(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => reference.mutability.is_none(),
        Type::Group(group) => is_shared(&group.elem),
        Type::Paren(paren) => is_shared(&paren.elem),
        _ => false,
    }
}

/// Whether a name stands in the tokens, other than as a field or method.
fn mentions(tokens: TokenStream, names: &[String]) -> bool {
    let mut before = [' ', ' '];
    tokens.into_iter().any(|token| {
        let is_member = before[1] == '.' && before[0] != '.';
        before = [before[1], if let TokenTree::Punct(punct) = &token { punct.as_char() } else { ' ' }];
        match token {
            TokenTree::Group(group) => mentions(group.stream(), names),
            TokenTree::Ident(ident) => !is_member && names.iter().any(|name| ident == name),
            _ => false,
        }
    })
}

/// `client` of `client.pool.breaker`
fn root(expression: &Expr) -> Option<&Ident> {
    match expression {
        Expr::Field(field) => root(&field.base),
        Expr::MethodCall(call) => root(&call.receiver),
        Expr::Index(index) => root(&index.expr),
        Expr::Reference(reference) => root(&reference.expr),
        Expr::Paren(paren) => root(&paren.expr),
        Expr::Group(group) => root(&group.expr),
        Expr::Path(path) => path.path.get_ident(),
        _ => None,
    }
}

/// The names that a pattern binds.
fn bound(pattern: &Pat) -> Vec<String> {
    let all = |patterns: &mut dyn Iterator<Item = &Pat>| patterns.flat_map(bound).collect();
    match pattern {
        Pat::Ident(pat) => {
            let inner = pat.subpat.as_ref().map(|(_, inner)| bound(inner)).unwrap_or_default();
            std::iter::once(pat.ident.to_string()).chain(inner).collect()
        }
        Pat::Tuple(pat) => all(&mut pat.elems.iter()),
        Pat::TupleStruct(pat) => all(&mut pat.elems.iter()),
        Pat::Struct(pat) => all(&mut pat.fields.iter().map(|field| &*field.pat)),
        Pat::Slice(pat) => all(&mut pat.elems.iter()),
        Pat::Or(pat) => all(&mut pat.cases.iter()),
        Pat::Reference(pat) => bound(&pat.pat),
        Pat::Paren(pat) => bound(&pat.pat),
        Pat::Type(pat) => bound(&pat.pat),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn names_are_found_and_fields_are_not() {
        let names = ["id".to_owned()];
        for (tokens, found) in [
            (quote!(id), true),
            (quote!(&id), true),
            (quote!(format!("{}", id)), true),
            (quote!(id.host), true),
            (quote!(request.id), false),
            (quote!(request.id(3)), false),
            (quote!(a..id), true),
            (quote!(idle), false),
        ] {
            assert_eq!(mentions(tokens.clone(), &names), found, "{tokens}");
        }
    }

    #[test]
    fn patterns_bind_names() {
        let sig: Signature =
            syn::parse_quote!(fn f(&self, a: u8, (b, _): (u8, u8), S { c, d: [e, ..], .. }: S, x @ 1..: u8, &y: &u8));
        let all: Vec<String> = sig
            .inputs
            .iter()
            .flat_map(|input| match input {
                FnArg::Receiver(_) => Vec::new(),
                FnArg::Typed(argument) => bound(&argument.pat),
            })
            .collect();
        assert_eq!(all, ["a", "b", "c", "e", "x", "y"]);
    }
}
