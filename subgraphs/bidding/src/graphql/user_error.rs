//! Declares the user error of one mutation: a closed enum of codes, the input's field, a message, and facts.

macro_rules! user_error {
    (
        $(#[$about:meta])* $error:ident ($code:ident) {
            $($(#[$code_about:meta])* $name:ident,)+
        }
        $(facts { $($(#[$fact_about:meta])* $fact:ident: $type:ty,)+ })?
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, async_graphql::SimpleObject)]
        pub struct $error {
            /// The stable code to switch on.
            pub(super) code: $code,
            /// The way to the input's field that is at fault.
            field: Option<Vec<String>>,
            /// What is wrong, fit to show to people.
            pub(super) message: String,
            $($($(#[$fact_about])* pub(super) $fact: Option<$type>,)+)?
        }

        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, async_graphql::Enum)]
        pub enum $code {
            $($(#[$code_about])* $name,)+
        }

        impl $error {
            fn new(code: $code, field: &[&str], message: impl std::fmt::Display) -> Self {
                Self {
                    code,
                    field: Some(field.iter().map(|part| (*part).to_owned()).collect()),
                    message: message.to_string(),
                    $($($fact: None,)+)?
                }
            }
        }
    };
}
pub(super) use user_error;
