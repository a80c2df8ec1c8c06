//! One declared singleton.

use super::args::Args;
use crate::item::{DeclaredType, Function};
use crate::names::snake_case;
use crate::runtime::Runtime;
use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, Expr, Type, Visibility};

/// What makes the instance of a type.
pub(super) enum Factory {
    Default,
    Infallible(Expr),
    Fallible(Expr),
}

/// `#[singleton] struct Config`
pub(super) struct TypeSingleton<'a> {
    pub(super) runtime: Runtime,
    pub(super) name: String,
    pub(super) factory: Factory,
    pub(super) vis: &'a Visibility,
    pub(super) ident: &'a Ident,
    pub(super) cfgs: Vec<&'a Attribute>,
}

impl<'a> TypeSingleton<'a> {
    pub(super) fn new(Args { mut options }: Args, declared: &'a DeclaredType) -> Self {
        let factory = match (options.callable("factory"), options.callable("try_factory")) {
            (Some(factory), _) => Factory::Infallible(factory),
            (None, Some(factory)) => Factory::Fallible(factory),
            (None, None) => Factory::Default,
        };
        Self {
            runtime: Runtime::at(options.path("crate")),
            name: options.text("name").map_or_else(|| snake_case(&declared.ident), |name| name.value()),
            factory,
            vis: &declared.vis,
            ident: &declared.ident,
            cfgs: crate::item::cfgs(&declared.attrs),
        }
    }
}

/// What a function singleton returns, as its author wrote it.
pub(super) enum Output {
    /// `T`
    Value(Box<Type>),
    /// `Result<T, E>`
    Fallible(Box<Fallible>),
}

/// The parts of a `Result<T, E>`.
pub(super) struct Fallible {
    pub(super) value: Type,
    pub(super) error: Type,
    /// `Result<T, E>` as it was written.
    pub(super) written: Type,
    /// The same with `&'static T`.
    pub(super) shared: Type,
}

/// `#[singleton] fn db() -> Result<Pool, DbError>`
pub(super) struct FunctionSingleton<'a> {
    pub(super) runtime: Runtime,
    pub(super) name: String,
    pub(super) function: &'a Function,
    pub(super) output: Output,
    /// The body says `Self`, which an item inside the function cannot.
    pub(super) says_self: bool,
}

impl<'a> FunctionSingleton<'a> {
    pub(super) fn new(Args { mut options }: Args, function: &'a Function, output: Output) -> Self {
        Self {
            runtime: Runtime::at(options.path("crate")),
            name: options.text("name").map_or_else(|| snake_case(&function.sig.ident), |name| name.value()),
            function,
            output,
            says_self: says_self(function.body.stream()),
        }
    }
}

/// Whether `Self` stands anywhere in these tokens.
pub(super) fn says_self(tokens: TokenStream) -> bool {
    self_in(tokens).is_some()
}

/// The first `Self` in these tokens.
pub(super) fn self_in(tokens: TokenStream) -> Option<Ident> {
    tokens.into_iter().find_map(|token| match token {
        proc_macro2::TokenTree::Ident(ident) if ident == "Self" => Some(ident),
        proc_macro2::TokenTree::Group(group) => self_in(group.stream()),
        _ => None,
    })
}
