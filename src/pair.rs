//! Names with values, as lists of fields and of parameters are made of.

use std::fmt::Display;

/// A name and its value: `(name, value)`, or a reference to it, where the name is text and
/// the value is text, a number, or whatever else can be displayed.
///
/// Whatever takes a list of them takes arrays, vectors, maps and their iterators:
///
/// ```
/// use std::collections::BTreeMap;
/// use urlsession::Form;
///
/// let map = BTreeMap::from([("page", 2), ("size", 50)]);
/// assert_eq!(Form::from(&map).as_str(), "page=2&size=50");
/// assert_eq!(Form::from([("q", "tea")]).as_str(), "q=tea");
/// ```
///
/// It cannot be implemented elsewhere.
pub trait Pair: sealed::Sealed {}

impl<N: AsRef<str>, V: Display> Pair for (N, V) {}

impl<N: AsRef<str>, V: Display> Pair for &(N, V) {}

pub(crate) mod sealed {
    use std::fmt::Display;

    /// What a pair can do.
    pub trait Sealed {
        /// Returns the name.
        fn name(&self) -> &str;

        /// Returns the value as text.
        fn value(&self) -> String;
    }

    impl<N: AsRef<str>, V: Display> Sealed for (N, V) {
        fn name(&self) -> &str {
            self.0.as_ref()
        }

        fn value(&self) -> String {
            self.1.to_string()
        }
    }

    impl<N: AsRef<str>, V: Display> Sealed for &(N, V) {
        fn name(&self) -> &str {
            self.0.as_ref()
        }

        fn value(&self) -> String {
            self.1.to_string()
        }
    }
}
