//! The arguments of a keyed singleton: each is a part of the key.

use crate::errors::Errors;
use crate::item::Function;
use crate::item::self_in;
use crate::runtime::{Runtime, generated};
use crate::singleton::check::impl_in;
use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote};
use syn::{Attribute, FnArg, Pat, PatType, Type};

/// One argument.
pub(super) struct Argument {
    /// What it goes by in the signature: its own name, or ours where a pattern stands, which the factory takes apart.
    name: Ident,
    ty: Type,
    /// `X` of `&X`
    borrowed: Option<Type>,
    /// The type that stands for it.
    part: Ident,
}

/// The arguments of a function that [`check`] found nothing wrong with.
pub(super) fn of(function: &Function) -> Vec<Argument> {
    let typed = function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(argument) => Some(argument),
        FnArg::Receiver(_) => None,
    });
    typed
        .enumerate()
        .map(|(at, argument)| {
            let name = match &*argument.pat {
                // A name that says "unused" is not ours to use.
                Pat::Ident(pat)
                    if pat.by_ref.is_none() && pat.subpat.is_none() && !pat.ident.to_string().starts_with('_') =>
                {
                    pat.ident.clone()
                }
                _ => format_ident!("lifecycle_argument_{at}", span = Span::mixed_site()),
            };
            let ty = bare(&argument.ty).clone();
            let borrowed = match &ty {
                // `&'static X` is as good as owned, and the factory may count on its lifetime.
                Type::Reference(reference) if reference.lifetime.as_ref().is_none_or(|life| life.ident != "static") => {
                    Some(bare(&reference.elem).clone())
                }
                _ => None,
            };
            let part = format_ident!("__LifecyclePart{at}", span = Span::mixed_site());
            Argument { name, ty, borrowed, part }
        })
        .collect()
}

impl Argument {
    /// `name: &str`, in the user's signature.
    pub(super) fn declaration(&self) -> TokenStream {
        let Self { name, ty, .. } = self;
        quote!(#name: #ty)
    }

    /// The item that says the argument's type: the one place where a type that cannot be a part of a key is found out.
    pub(super) fn item(&self, runtime: &Runtime) -> TokenStream {
        let (private, part) = (runtime.private(), &self.part);
        let says = match &self.borrowed {
            Some(borrowed) => generated!(#private::keyed::Refers for #part { type Target = #borrowed; }),
            None => {
                let ty = &self.ty;
                generated!(#private::keyed::Holds for #part { type Value = #ty; })
            }
        };
        generated!(struct #part; impl #says)
    }

    /// The type that stands in the key for it.
    pub(super) fn kept(&self, runtime: &Runtime) -> TokenStream {
        let (private, part) = (runtime.private(), &self.part);
        if self.borrowed.is_some() {
            generated!(#private::keyed::Kept<#part>)
        } else {
            generated!(#private::keyed::Held<#part>)
        }
    }

    /// What finds the key without owning it.
    pub(super) fn query(&self, runtime: &Runtime) -> TokenStream {
        let (private, part, name) = (runtime.private(), &self.part, &self.name);
        match &self.borrowed {
            Some(_) => generated!(#private::keyed::Referring::<#part>(#name)),
            None => generated!(#private::keyed::Holding::<#part>(&#name)),
        }
    }

    /// What the factory of a synchronous function gets; the query still has the argument itself.
    pub(super) fn passed(&self, runtime: &Runtime) -> TokenStream {
        let (name, query) = (&self.name, self.query(runtime));
        if self.borrowed.is_some() { generated!(#name) } else { generated!(#query.pass()) }
    }
}

/// More arguments have no place in the runtime's keys.
const MOST: usize = 8;

/// What cannot be an argument, each on its token.
pub(in crate::singleton) fn check(function: &Function, errors: &mut Errors) {
    let name = &function.sig.ident;
    if function.sig.inputs.is_empty() {
        errors
            .on(name, format!("`keyed` is one instance for each argument, and `{name}` has none: leave `keyed` away"));
    }
    if let Some(input) = function.sig.inputs.iter().nth(MOST) {
        errors.on(input, format!("a key has at most {MOST} parts: put some arguments of `{name}` into a struct that is `Hash + Eq + Clone`"));
    }
    for input in &function.sig.inputs {
        if let FnArg::Typed(argument) = input {
            check_argument(argument, errors);
        }
    }
}

fn check_argument(argument: &PatType, errors: &mut Errors) {
    if let Some(cfg) = argument.attrs.iter().find(|attr| is_cfg(attr)) {
        errors.on(cfg, "a key has all its parts at all times: put the `cfg` on the whole function");
    }
    if let Some(word) = self_in(argument.ty.to_token_stream()) {
        errors.on(word, "write the type's name: the key is kept in a static, where there is no `Self`");
    }
    if let Some(word) = impl_in(argument.ty.to_token_stream()) {
        errors.on(word, "the key is kept in a static, whose type must have a name: write it out");
        return;
    }
    match bare(&argument.ty) {
        Type::Reference(reference) if reference.mutability.is_some() => {
            errors.on(reference, "a key does not change: take `&T`, or the value itself");
        }
        Type::Reference(reference) => check_owned(&reference.elem, errors),
        Type::Infer(infer) => errors.on(infer, "write the type: it is a part of the key"),
        ty => check_owned(ty, errors),
    }
}

fn check_owned(ty: &Type, errors: &mut Errors) {
    if let Some(borrow) = borrow_in(ty.to_token_stream()) {
        errors.on(
            borrow,
            "a key is kept, so it owns what is in it: only the whole argument may be behind a plain `&`; inside write the owned \
             type (`Option<String>`), or `&'static`",
        );
    }
}

fn is_lifetime(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(sign)) if sign.as_char() == '\'')
}

fn is_static(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Ident(life)) if life == "static")
}

/// The first `&` or lifetime in a type that is not `'static`. What stands in the parentheses of `fn(..)` is not kept.
fn borrow_in(tokens: TokenStream) -> Option<TokenTree> {
    let mut tokens = tokens.into_iter().peekable();
    let mut after_word = false;
    while let Some(token) = tokens.next() {
        let word = matches!(token, TokenTree::Ident(_));
        match &token {
            TokenTree::Punct(sign) if sign.as_char() == '&' && !is_lifetime(tokens.peek()) => return Some(token),
            TokenTree::Punct(sign) if sign.as_char() == '\'' && !is_static(tokens.peek()) => return tokens.next(),
            TokenTree::Group(group) if !(after_word && group.delimiter() == Delimiter::Parenthesis) => {
                if let Some(found) = borrow_in(group.stream()) {
                    return Some(found);
                }
            }
            _ => {}
        }
        after_word = word;
    }
    None
}

fn is_cfg(attr: &Attribute) -> bool {
    attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr")
}

/// A type that comes through a `macro_rules!` fragment is in an invisible group.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        ty => ty,
    }
}
