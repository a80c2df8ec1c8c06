//! An enum as the value of a flag: its variants have names and hold nothing.

use super::args::Args;
use crate::errors::Errors;
use crate::names::snake_case;
use crate::runtime::Runtime;
use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput, Fields, Variant};

pub(super) struct FlagEnum<'a> {
    pub(super) runtime: Runtime,
    pub(super) ident: &'a Ident,
    pub(super) variants: Vec<Named<'a>>,
}

pub(super) struct Named<'a> {
    pub(super) ident: &'a Ident,
    /// The text that means it.
    pub(super) name: String,
}

impl<'a> FlagEnum<'a> {
    /// `None` when it is no enum, or one without variants that can be values.
    pub(super) fn read(item: &'a DeriveInput, errors: &mut Errors) -> Option<Self> {
        let args = Args::read(&item.attrs, "crate", "a variant", errors);
        let all = match &item.data {
            Data::Enum(all) => all,
            Data::Struct(one) => {
                errors.on(one.struct_token, "a flag's value is one of a few: `FlagValue` is for enums; for what has fields use a `#[singleton(swap)]`");
                return None;
            }
            Data::Union(one) => {
                errors.on(one.union_token, "a flag's value is one of a few: `FlagValue` is for enums");
                return None;
            }
        };
        if !item.generics.params.is_empty() {
            errors.on(&item.generics, "a flag has one type: an enum with parameters is many");
            return None;
        }
        if all.variants.is_empty() {
            errors.on(&item.ident, format!("`{}` has no variants, so a flag could have no value", item.ident));
            return None;
        }
        let mut variants: Vec<Named<'a>> = Vec::new();
        let mut whole = true;
        for variant in &all.variants {
            whole &= holds_nothing(variant, errors);
            let args = Args::read(&variant.attrs, "rename", "the enum", errors);
            let name = args.rename.as_ref().map_or_else(|| snake_case(&variant.ident), syn::LitStr::value);
            // Texts from the environment mean one whatever their case.
            if let Some(other) = variants.iter().find(|other| other.name.eq_ignore_ascii_case(&name)) {
                let message = format!(
                    "`{name}` means `{}` already: give one of them another name, `#[flag_value(rename = \"..\")]`",
                    other.ident
                );
                match &args.rename {
                    Some(rename) => errors.on(rename, message),
                    None => errors.on(&variant.ident, message),
                }
            }
            variants.push(Named { ident: &variant.ident, name });
        }
        whole.then(|| Self { runtime: Runtime::at(args.path), ident: &item.ident, variants })
    }

    /// `Mode`
    pub(super) fn name(&self) -> String {
        self.ident.unraw().to_string()
    }

    /// ``Mode (`off`, `fast`)``
    pub(super) fn expected(&self) -> String {
        let names: Vec<String> = self.variants.iter().map(|variant| format!("`{}`", variant.name)).collect();
        format!("{} ({})", self.name(), names.join(", "))
    }
}

fn holds_nothing(variant: &Variant, errors: &mut Errors) -> bool {
    if matches!(variant.fields, Fields::Unit) {
        return true;
    }
    let ident = &variant.ident;
    errors.on(&variant.fields, format!("a flag's value is a word, and `{ident}` holds more than that: leave its fields away, or keep them in a flag of their own"));
    false
}
