//! One declared flag.

use super::args::Args;
use crate::item::{DeclaredStatic, cfgs};
use crate::names::snake_case;
use crate::runtime::Runtime;
use proc_macro2::TokenStream;
use syn::Attribute;

/// What `#[init_flag(..)] static X: Flag<T> = value;` says.
pub(super) struct Declared<'a> {
    pub(super) runtime: Runtime,
    pub(super) name: String,
    pub(super) env: Option<String>,
    pub(super) secret: bool,
    pub(super) flag: &'a DeclaredStatic,
    /// The default: `true`, also where `Flag::new(true)` is written.
    pub(super) value: TokenStream,
    pub(super) cfgs: Vec<&'a Attribute>,
}

impl<'a> Declared<'a> {
    pub(super) fn new(Args { mut options }: Args, flag: &'a DeclaredStatic, value: TokenStream) -> Self {
        Self {
            runtime: Runtime::at(options.path("crate")),
            name: options.text("name").map_or_else(|| snake_case(&flag.ident), |name| name.value()),
            env: options.text("env").map(|env| env.value()),
            secret: options.word("secret"),
            flag,
            value,
            cfgs: cfgs(&flag.attrs),
        }
    }
}
