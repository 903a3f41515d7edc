//! The user errors of a mutation: a code to switch on, the field it is about, a message to show.

/// Defines a mutation's error type and its codes.
macro_rules! refusals {
    ($(#[$doc:meta])* $error:ident, $(#[$code_doc:meta])* $code:ident { $($(#[$item_doc:meta])* $item:ident,)+ }) => {
        $(#[$code_doc])*
        #[derive(async_graphql::Enum, Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $code {
            $($(#[$item_doc])* $item,)+
        }

        $(#[$doc])*
        #[derive(async_graphql::SimpleObject, Clone, Debug)]
        pub(crate) struct $error {
            /// What to switch on.
            code: $code,
            /// The field of the input that it is about, from the outside in; empty: the whole.
            field: Vec<String>,
            /// What was wrong, to show to a person.
            message: String,
        }

        impl $error {
            fn new(code: $code, field: &[&str], message: impl std::fmt::Display) -> Self {
                let field = field.iter().map(|part| (*part).to_owned()).collect();
                Self { code, field, message: message.to_string() }
            }
        }
    };
}
