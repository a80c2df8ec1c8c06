//! One declared singleton.

use super::args::Args;
use super::settings::Settings;
use crate::item::{DeclaredType, Function, says_self};
use crate::names::snake_case;
use crate::options::Options;
use crate::runtime::{Runtime, generated};
use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Attribute, Expr, Type, TypePath, Visibility};

/// How the instance is kept, and so what the accessors give.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    /// `&'static T`
    Static,
    /// `Current<T>`
    Swapped,
    /// `Current<T>`, one an invocation
    Bound,
}

impl Storage {
    /// By what was written, so that after a mistake in it callers find the accessors they expect.
    pub(super) fn of(options: &Options) -> Self {
        if options.chooses("scope", "invocation") {
            Self::Bound
        } else if options.mentions("swap") {
            Self::Swapped
        } else {
            Self::Static
        }
    }

    /// What accessors give of a `value`.
    pub(super) fn handed(self, runtime: &Runtime, value: &impl ToTokens) -> TokenStream {
        match self {
            Self::Static => generated!(&'static #value),
            Self::Swapped | Self::Bound => {
                let root = runtime.root();
                generated!(#root::Current<#value>)
            }
        }
    }

    /// What says so in the runtime.
    pub(super) fn mode(self, runtime: &Runtime) -> TokenStream {
        let private = runtime.private();
        match self {
            Self::Static => generated!(#private::declared::Forever),
            Self::Swapped => generated!(#private::declared::Replaceable),
            Self::Bound => generated!(#private::declared::PerInvocation),
        }
    }
}

/// What makes the instance of a type.
pub(super) struct Factory {
    /// `None`: its `Default`.
    pub(super) callable: Option<Expr>,
    pub(super) fallible: bool,
    pub(super) is_async: bool,
}

/// The keys that say it; the first that is given counts, more are a mistake.
pub(super) const FACTORIES: [&str; 4] = ["factory", "try_factory", "async_factory", "try_async_factory"];

impl Factory {
    fn take(options: &mut Options) -> Self {
        // By what was written, so that after a mistake in its value callers find the accessors they expect.
        let key = FACTORIES.into_iter().find(|key| options.mentions(key));
        Self {
            callable: key.and_then(|key| options.callable(key)),
            fallible: key.is_some_and(|key| key.starts_with("try")),
            is_async: key.is_some_and(|key| key.contains("async")),
        }
    }
}

/// `#[singleton] struct Config`
pub(super) struct TypeSingleton<'a> {
    pub(super) runtime: Runtime,
    pub(super) name: String,
    pub(super) factory: Factory,
    pub(super) settings: Settings,
    pub(super) vis: &'a Visibility,
    pub(super) ident: &'a Ident,
    pub(super) cfgs: Vec<&'a Attribute>,
}

impl<'a> TypeSingleton<'a> {
    pub(super) fn new(Args { mut options }: Args, declared: &'a DeclaredType) -> Self {
        Self {
            runtime: Runtime::at(options.path("crate")),
            name: options.text("name").map_or_else(|| snake_case(&declared.ident), |name| name.value()),
            factory: Factory::take(&mut options),
            settings: Settings::take(&mut options),
            vis: &declared.vis,
            ident: &declared.ident,
            cfgs: crate::item::cfgs(&declared.attrs),
        }
    }
}

/// What a function singleton returns, as its author wrote it.
pub(crate) enum Output {
    /// `T`
    Value(Box<Type>),
    /// `Result<T, E>`
    Fallible(Box<Fallible>),
}

/// The parts of a `Result<T, E>`.
pub(crate) struct Fallible {
    pub(crate) value: Type,
    pub(crate) error: Type,
    /// `Result<T, E>` as it was written.
    pub(super) written: TypePath,
}

impl Output {
    /// `T`
    pub(crate) fn value(&self) -> &Type {
        match self {
            Self::Value(value) => value,
            Self::Fallible(fallible) => &fallible.value,
        }
    }

    /// `E`; a body that cannot fail has one all the same.
    pub(super) fn error(&self, runtime: &Runtime) -> TokenStream {
        let private = runtime.private();
        match self {
            Self::Value(_) => generated!(#private::Infallible),
            Self::Fallible(fallible) => fallible.error.to_token_stream(),
        }
    }

    /// What the body gives.
    pub(super) fn written(&self) -> TokenStream {
        match self {
            Self::Value(value) => value.to_token_stream(),
            Self::Fallible(fallible) => fallible.written.to_token_stream(),
        }
    }
}

/// What a function whose body runs once is to its users.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declares {
    /// A value, which calls hand out.
    Singleton,
    /// A step: its value is `()`, and calls give that.
    Step,
}

impl Declares {
    /// The runtime's kind of component.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::Singleton => "Singleton",
            Self::Step => "Flag",
        }
    }

    /// The runtime's function that makes the entry of the link-time list.
    pub(super) fn listed(self) -> Ident {
        let name = match self {
            Self::Singleton => "listed",
            Self::Step => "listed_step",
        };
        Ident::new(name, proc_macro2::Span::mixed_site())
    }
}

/// `#[singleton] fn db() -> Result<Pool, DbError>`, and `#[init_flag] fn init_logging() -> Result<(), E>`
pub(crate) struct FunctionSingleton<'a> {
    pub(crate) runtime: Runtime,
    pub(crate) name: String,
    pub(crate) settings: Settings,
    pub(crate) function: &'a Function,
    pub(crate) output: Output,
    pub(crate) declares: Declares,
    /// The body says `Self`, which an item inside the function cannot.
    pub(crate) says_self: bool,
}

impl<'a> FunctionSingleton<'a> {
    pub(super) fn new(Args { mut options }: Args, function: &'a Function, output: Output) -> Self {
        Self {
            runtime: Runtime::at(options.path("crate")),
            name: options.text("name").map_or_else(|| snake_case(&function.sig.ident), |name| name.value()),
            settings: Settings::take(&mut options),
            function,
            output,
            declares: Declares::Singleton,
            says_self: says_self(function.body.stream()),
        }
    }

    pub(super) fn is_async(&self) -> bool {
        self.function.sig.asyncness.is_some()
    }
}
