//! How a value of a scenario and what is stored of it correspond.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::trial::FaultKind;

use super::super::background::{Beside, Sessions, Until};
use super::super::between::{Before, PoolMode};
use super::super::change::{RetryOf, RunsAs, Scope, TransactionRule, Unmet, VersionRows};
use super::super::condition::ConditionKind;
use super::super::crash::Outcome;
use super::super::expect::{FindingKind, Verdict};
use super::super::state::Base;
use super::super::table::FakeKind;
use super::super::tool::Tool;
use super::super::traffic::{Arrivals, On, Rows, Since};

/// A value that is stored in a form of its own.
pub trait Stored: Sized {
    type Form;
    fn to_form(&self) -> Self::Form;
    fn of_form(form: Self::Form) -> Self;
}

/// What is stored as it is: numbers, texts, and names that a scenario file uses as well.
macro_rules! as_it_is {
    ($($type:ty),+ $(,)?) => {
        $(impl Stored for $type {
            type Form = $type;

            fn to_form(&self) -> $type {
                self.clone()
            }

            fn of_form(form: $type) -> $type {
                form
            }
        })+
    };
}

as_it_is! {
    bool, u32, u64, i64, f64, String, PathBuf, Arrivals, FakeKind, FaultKind, FindingKind, Base,
    Before, Beside, ConditionKind, On, Outcome, PoolMode, RetryOf, Rows, RunsAs, Scope, Sessions,
    Since, Tool, TransactionRule, Unmet, Until, Verdict, VersionRows,
}

impl Stored for Arc<str> {
    type Form = String;

    fn to_form(&self) -> String {
        self.to_string()
    }

    fn of_form(form: String) -> Arc<str> {
        form.into()
    }
}

impl<T: Stored> Stored for Option<T> {
    type Form = Option<T::Form>;

    fn to_form(&self) -> Self::Form {
        self.as_ref().map(T::to_form)
    }

    fn of_form(form: Self::Form) -> Self {
        form.map(T::of_form)
    }
}

impl<T: Stored> Stored for Vec<T> {
    type Form = Vec<T::Form>;

    fn to_form(&self) -> Self::Form {
        self.iter().map(T::to_form).collect()
    }

    fn of_form(form: Self::Form) -> Self {
        form.into_iter().map(T::of_form).collect()
    }
}

impl<T: Stored> Stored for BTreeMap<String, T> {
    type Form = BTreeMap<String, T::Form>;

    fn to_form(&self) -> Self::Form {
        self.iter().map(|(name, value)| (name.clone(), value.to_form())).collect()
    }

    fn of_form(form: Self::Form) -> Self {
        form.into_iter().map(|(name, value)| (name, T::of_form(value))).collect()
    }
}
