//! Arguments by name, so that a fallback can be called with them.

use crate::item::cfgs;
use crate::runtime::generated;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{FnArg, Pat, Signature};

/// A signature whose arguments all have names.
pub(super) struct Named {
    pub(super) sig: Signature,
    /// The arguments as a call passes them on, `self` first.
    pub(super) names: Vec<TokenStream>,
    /// `let (a, b) = lifecycle_argument_0;` for each pattern that had to give way.
    pub(super) bindings: TokenStream,
}

/// Input: `fn f(&self, id: u64, (a, b): Pair)`
/// Output: `fn f(&self, id: u64, lifecycle_argument_2: Pair)`, `self, id, lifecycle_argument_2`, `let (a, b) = lifecycle_argument_2;`
pub(super) fn named(sig: &Signature) -> Named {
    let mut sig = sig.clone();
    let (mut names, mut bindings) = (Vec::new(), TokenStream::new());
    for (at, input) in sig.inputs.iter_mut().enumerate() {
        match input {
            FnArg::Receiver(receiver) => {
                let token = &receiver.self_token;
                names.push(quote!(#token));
            }
            FnArg::Typed(argument) => {
                // An argument that the configuration takes away is not passed on either.
                let cfgs: Vec<_> = cfgs(&argument.attrs).into_iter().cloned().collect();
                match &*argument.pat {
                    Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => {
                        let ident = &pat.ident;
                        names.push(quote!(#(#cfgs)* #ident));
                    }
                    pattern => {
                        let name = format_ident!("lifecycle_argument_{at}", span = Span::mixed_site());
                        bindings.extend(generated!(#(#cfgs)* let #pattern = #name;));
                        names.push(quote!(#(#cfgs)* #name));
                        *argument.pat = syn::parse_quote!(#name);
                    }
                }
            }
        }
    }
    Named { sig, names, bindings }
}
