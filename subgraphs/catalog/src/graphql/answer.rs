//! What a mutation answers: the thing, or what is wrong.

use contract::Long;

use crate::input::Problem;

/// An error of a mutation, whatever its codes.
pub(super) trait UserError: Sized {
    type Code: Copy;

    fn new(code: Self::Code, field: &[&str], message: &str) -> Self;

    /// The same error at a place in the input that was found at run time.
    fn at(self, field: Vec<String>) -> Self;
}

/// One error.
pub(super) fn one<E: UserError>(code: E::Code, field: &[&str], message: &str) -> Vec<E> {
    vec![E::new(code, field, message)]
}

/// An error for each thing that is wrong with the input.
pub(super) fn invalid<E: UserError>(code: E::Code, problems: Vec<Problem>) -> Vec<E> {
    let show = |problem: Problem| E::new(code, &[], &problem.message).at(problem.field);
    problems.into_iter().map(show).collect()
}

/// An error that tells the version which a thing has now.
pub(super) trait Versioned: UserError {
    fn with_version(self, current_version: Long) -> Self;
}

/// The error for a stale `expectedVersion`.
pub(super) fn stale<E: Versioned>(code: E::Code, current_version: i64) -> Vec<E> {
    vec![E::new(code, &["expectedVersion"], STALE).with_version(Long(current_version))]
}

/// Names the errors that have a `currentVersion`.
macro_rules! versioned {
    ($($error:ident),+ $(,)?) => { $(
        impl $crate::graphql::answer::Versioned for $error {
            fn with_version(self, current_version: contract::Long) -> Self {
                Self { current_version: Some(current_version), ..self }
            }
        }
    )+ };
}

pub(super) const NOT_VERIFIED: &str = "only a verified seller or an admin can do this";
pub(super) const NO_SELLER: &str = "say whose offer it is";
pub(super) const NO_PRODUCT: &str = "you have no product with this id";
const STALE: &str = "it changed since you read it: read it again";
pub(super) const HANDLE_TAKEN: &str = "another one has this handle";
pub(super) const KEY_REUSED: &str = "this key was used with another input";

/// The path of a field of the input, as clients see it. Empty: it is not about a field.
pub(super) fn path(field: Vec<String>) -> Vec<String> {
    match field.is_empty() {
        true => field,
        false => std::iter::once("input".to_owned()).chain(field).collect(),
    }
}

/// Declares the payload of a mutation, its error with extra facts, and the codes of the error.
macro_rules! answer {
    (
        $(#[$payload_doc:meta])* $payload:ident { $(#[$thing_doc:meta])* $thing:ident: $type:ty }
        $(#[$error_doc:meta])* $error:ident { $($(#[$fact_doc:meta])* $fact:ident: $fact_type:ty),* $(,)? }
        $(#[$code_doc:meta])* $code:ident { $($(#[$variant_doc:meta])* $variant:ident),+ $(,)? }
    ) => {
        pub struct $payload {
            $thing: Option<$type>,
            user_errors: Vec<$error>,
        }

        $(#[$payload_doc])*
        #[async_graphql::Object]
        impl $payload {
            $(#[$thing_doc])*
            async fn $thing(&self) -> &Option<$type> {
                &self.$thing
            }

            /// Why nothing was done; empty when it was.
            async fn user_errors(&self) -> &[$error] {
                &self.user_errors
            }
        }

        impl $payload {
            fn of<T: Into<$type>, R: Into<Vec<$error>>>(outcome: Result<T, R>) -> Self {
                match outcome {
                    Ok(done) => Self { $thing: Some(done.into()), user_errors: vec![] },
                    Err(refusal) => Self { $thing: None, user_errors: refusal.into() },
                }
            }
        }

        pub struct $error {
            code: $code,
            field: Vec<String>,
            message: String,
            $($fact: Option<$fact_type>,)*
        }

        $(#[$error_doc])*
        #[async_graphql::Object]
        impl $error {
            /// What is wrong, to switch on.
            async fn code(&self) -> $code {
                self.code
            }

            /// Where in the arguments: names of fields and indexes of lists, such as `["input", "title"]`.
            async fn field(&self) -> &[String] {
                &self.field
            }

            /// What is wrong, for people.
            async fn message(&self) -> &str {
                &self.message
            }

            $($(#[$fact_doc])*
            async fn $fact(&self) -> &Option<$fact_type> {
                &self.$fact
            })*
        }

        impl $crate::graphql::answer::UserError for $error {
            type Code = $code;

            fn new(code: $code, field: &[&str], message: &str) -> Self {
                let field = field.iter().map(|step| step.to_string()).collect();
                Self { code, field: vec![], message: message.into(), $($fact: None,)* }.at(field)
            }

            fn at(self, field: Vec<String>) -> Self {
                Self { field: $crate::graphql::answer::path(field), ..self }
            }
        }

        $(#[$code_doc])*
        #[derive(Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
        pub enum $code {
            $($(#[$variant_doc])* $variant,)+
        }
    };
}
